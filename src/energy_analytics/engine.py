"""The SQL engine (DuckDB): one way to open it, to quote for it, and to sum exactly in it."""

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import duckdb

_MANTISSA_BITS: Final = 62
"""A value scaled to below 2**62 fits a BIGINT with room for its sign."""


def connect(*, memory_limit_mb: int, threads: int | None, spill_folder: Path) -> duckdb.DuckDBPyConnection:
    """Open an engine in memory that spills to `spill_folder` and never fetches extensions."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": f"{memory_limit_mb}MB",
        "temp_directory": str(spill_folder),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    if threads is not None:
        config["threads"] = threads
    return duckdb.connect(config=config)


def literal(text: str) -> str:
    """Quote a string for SQL."""
    return "'" + text.replace("'", "''") + "'"


def file_literal(path: Path) -> str:
    """Quote the path of one file for a table function, which would take *, ? and [ for patterns."""
    return literal(re.sub(r"[*?\[]", r"[\g<0>]", str(path)))


def file_list(paths: Sequence[Path]) -> str:
    """Write paths as an SQL list of files."""
    return "[" + ", ".join(file_literal(path) for path in paths) + "]"


def parquet(paths: Sequence[Path], *options: str) -> str:
    """Write the relation of Parquet files, with options of the reader such as `filename` switched on."""
    further = "".join(f", {option} = true" for option in options)
    return f"read_parquet({file_list(paths)}, hive_partitioning = false{further})"


def significant(expression: str) -> str:
    """Write SQL that rounds to 12 significant digits: enough for any meter, and free of binary noise."""
    return f"CAST(printf('%.12g', {expression}) AS DOUBLE)"


def binary_scale(largest: float, *, power: int = 1, bits: int = _MANTISSA_BITS) -> float:
    """Return the power of two that takes `largest ** power` to just below 2**bits."""
    exponent = math.frexp(largest)[1] if largest > 0 else 0
    return math.ldexp(1.0, max(-1000, min(1000, bits - power * exponent)))


def exact_sum(expression: str, scale: float, *, whole: str = "BIGINT") -> str:
    """Write an SQL sum (HUGEINT, in units of 1 / scale) whose value does not depend on the order of rows.

    Floating-point addition is not associative and threads take rows in any order; integers do not care.
    A power of two as scale makes the conversion itself exact down to the last of 62 bits, or of those that the type
    `whole` has.
    """
    return f"sum(CAST(({expression}) * {scale!r} AS {whole}))"
