"""Names that a spreadsheet, a terminal, a browser or a log would obey: shown or written, never obeyed."""

import csv
import io
import json
import re
import unicodedata
from html.parser import HTMLParser
from pathlib import Path

import pytest
from commands import HEADER, energy, hourly_rows

from energy_analytics import words
from energy_analytics.lake import LocalLake
from energy_analytics.query import query
from energy_analytics.settings import Settings

FORMULAS = [
    '=HYPERLINK("http://127.0.0.1";"x")',
    "+1+1",
    "-1+1",
    "@SUM(1)",
    "'already",
    "=cmd|' /C calc'!A0",
    "\uff1d1+1",
    "\uff20SUM(1)",
]
TRICKS = [
    "\x1b[31mred\x1b[0m",
    "\x1b]8;;http://127.0.0.1\x07link\x1b]8;;\x07",
    "\u202elivne",
    "\x9b2J",
    "\x07bell",
    "\u2066a\u2069",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onload='alert(1)",
    "</title><svg/onload=alert(1)>",
    "{{7*7}}{% raw %}",
    "&lt;b&gt;",
    "]]><!--",
    "javascript:alert(1)",
    "[red]markup[/red]",
    "two\nlines",
]
INVISIBLE = {"Cc", "Cf", "Cs", "Co"}


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with readings of every hostile name, a spike of each, and refused rows."""
    folder = tmp_path_factory.mktemp("names")
    names = [*FORMULAS, *TRICKS]
    rows = "".join(hourly_rows("2026-01-01", hours=72, kwh=1 + n, appliance=quoted(one)) for n, one in enumerate(names))
    rows += "".join(f"2026-01-09 00:00:00,{quoted(one)},900\n" for one in names)
    rows += "".join(f"=1+1\x1b[31m,{quoted(one)},-\n" for one in names) + "@x,Oven,1\n"
    source = folder / "\x1b]0;title\x07<b>\u202ename.csv"
    source.write_text(HEADER + rows, encoding="utf-8", newline="")
    done = energy("run", source, "--site", "<i>site\u202e", folder=folder)
    assert done.returncode == 0, done.stderr
    (folder / "said").write_text(done.stdout + done.stderr, encoding="utf-8")
    return folder


def lake_files(place: Path, pattern: str) -> list[Path]:
    found = sorted((place / "lake").glob(pattern))
    assert found
    return found


def obeyed(text: str) -> list[str]:
    """Return the characters that a terminal may obey."""
    return [char for char in text if char not in "\n\t" and unicodedata.category(char) in INVISIBLE]


@pytest.mark.parametrize(
    "pattern", ["processed/**/*.csv", "anomalies/**/*.csv", "forecast/**/*.csv", "rejected/**/*.csv"]
)
def test_no_cell_of_a_result_is_a_formula(place: Path, pattern: str) -> None:
    (path,) = lake_files(place, pattern)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert len(rows) > 5
    for cell in (cell for row in rows for cell in row if cell):
        assert cell[0] not in "=+-@\t\r" or re.fullmatch(r"-?\d+(\.\d+)?(e[+-]\d+)?", cell), cell
    if not pattern.startswith("forecast"):
        assert any(cell.startswith("'=") for row in rows for cell in row)


def test_tables_give_back_the_true_names(place: Path) -> None:
    names = {*FORMULAS, *(one for one in TRICKS)}
    for table in (
        "processed",
        "processed_energy_data",
        "latest_processed",
        "anomalies",
        "latest_anomalies",
        "readings",
        "daily",
    ):
        found = {
            row[0]
            for row in query(LocalLake(place / "lake"), f"SELECT DISTINCT appliance FROM {table}", Settings()).rows
        }
        assert found == names, table


def test_csv_of_a_question_has_no_formulas_and_numbers_stay(place: Path) -> None:
    sql = "SELECT '=1+1' AS a, -5 AS b, -0.5 AS c, '-x' AS \"=d\", NULL AS e, '''=1' AS f, 'plain' AS g"
    asked = energy("query", sql, "--format", "csv", folder=place)
    assert list(csv.reader(io.StringIO(asked.stdout))) == [
        ["a", "b", "c", "'=d", "e", "f", "g"],
        ["'=1+1", "-5", "-0.5", "'-x", "", "''=1", "plain"],
    ]


@pytest.mark.parametrize(
    "text", [*FORMULAS, *TRICKS, "", "'", "''", "'=", "''=", "\t=1", "\r=1", "-", "Oven", "0", "=", "it's"]
)
def test_a_cell_gives_back_its_text_in_python_and_in_sql(text: str) -> None:
    import duckdb

    cell = words.csv_cell(text)
    assert isinstance(cell, str) and cell[:1] not in tuple("=+-@\t\r")
    sql = (
        f"SELECT {words.csv_cell_sql('text')}, {words.text_of_csv_cell_sql('cell')} FROM (SELECT ? AS text, ? AS cell)"
    )
    assert duckdb.execute(sql, [text, cell]).fetchall() == [(cell, text)]
    assert words.text_of_csv_cell(cell) == text
    assert words.csv_cell(-1.5) == -1.5


@pytest.mark.parametrize(
    "arguments",
    [
        ["results"],
        ["report", "--site", "<i>site\u202e"],
        ["findings", "--site", "<i>site\u202e"],
        ["clean", "--dry-run"],
        ["query", "SELECT DISTINCT appliance FROM readings"],
        ["query", "SELECT error, upload FROM runs", "--format", "json"],
        ["query", "SELECT chr(27) || '[31m' AS a, chr(155) || 'x' AS b, chr(8238) AS c", "--format", "json"],
        ["query", 'SELECT nothing AS "\x1b[31m\u202e"'],
        ["run", "\x1b[31mnothing\u202e.csv"],
        ["bill", "--site", "<i>site\u202e"],
    ],
)
def test_nothing_that_a_terminal_obeys_is_printed(place: Path, arguments: list[str]) -> None:
    done = energy(*arguments, folder=place)
    assert "Traceback" not in done.stderr
    assert obeyed(done.stdout + done.stderr) == []
    assert done.stdout + done.stderr
    assert obeyed((place / "said").read_text("utf-8")) == []


def test_json_loses_nothing(place: Path) -> None:
    sql = "SELECT DISTINCT appliance FROM readings"
    found = json.loads(energy("query", sql, "--format", "json", folder=place).stdout)
    assert {row["appliance"] for row in found} == {*FORMULAS, *TRICKS}


class Tags(HTMLParser):
    """Collects the elements and the attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.values: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        self.values += [value or "" for name, value in attrs if name in ("href", "src", "id", "xlink:href", "action")]


def test_the_page_has_no_element_of_a_strangers(place: Path) -> None:
    (page,) = lake_files(place, "reports/**/*.html")
    text = page.read_text("utf-8")
    found = Tags()
    found.feed(text)
    assert not found.tags & {"script", "img", "iframe", "object", "embed", "form", "input", "link", "base"}
    assert not [name for name in found.attributes if name.startswith("on")]
    assert not [value for value in found.values if "javascript" in value or "<" in value or '"' in value]
    assert "alert(1)" in text and "49" not in re.findall(r"\{\{.*?\}\}|>49<", text)
    assert "<b>name" not in text and "<i>site" not in text
    assert obeyed(text) == []


def test_the_text_report_keeps_a_name_on_its_line(place: Path) -> None:
    (report,) = lake_files(place, "reports/**/*.txt")
    text = report.read_text("utf-8")
    assert obeyed(text) == []
    assert "two lines" in text
    assert not [line for line in text.splitlines() if line.startswith("lines")]


def test_a_tariff_has_no_name_that_a_terminal_obeys(tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_text(
        'name = "\\u001b[31mred\\u202e"\ncurrency = "X"\nsource = "a\\nb\\u009b2J"\n[[version]]\nprice_per_kwh = 0.3\n'
    )
    (tmp_path / "a.csv").write_text(HEADER + hourly_rows("2026-01-01", hours=48))
    done = energy("run", "a.csv", folder=tmp_path, variables={"ENERGY_TARIFF_FILE": "t.toml"})
    assert done.returncode == 0, done.stderr
    for report in (tmp_path / "lake" / "reports").iterdir():
        text = report.read_text("utf-8")
        assert obeyed(text) == []
        assert "[31mred, after a b2J" in text
