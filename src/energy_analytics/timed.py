"""Files of one value by time that a user gives beside the readings: temperatures, emissions."""

import csv
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path


def timed_values(
    path: Path, column: str, *, file: str, refused: type[ValueError]
) -> Iterator[tuple[int, datetime, float]]:
    """Yield the line, the timestamp and the value of each row of a CSV of timestamp and `column`.

    `file` is what messages call it. Raises `refused`, which says where and why the file cannot be used.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as opened:
            rows = csv.DictReader(opened)
            if not {"timestamp", column} <= set(rows.fieldnames or ()):
                columns = ", ".join(rows.fieldnames or ()) or "none"
                raise refused(f"{path} has the columns {columns}; expected are timestamp,{column}.")
            for row in rows:
                try:
                    moment, value = datetime.fromisoformat(row["timestamp"]), float(row[column])
                except (TypeError, ValueError) as error:
                    raise refused(f"{path}, line {rows.line_num}, cannot be read: {error}.") from error
                yield rows.line_num, moment, value
    except OSError as error:
        raise refused(f"The {file} {path} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise refused(f"The {file} {path} is no CSV file in UTF-8: {error}.") from error
