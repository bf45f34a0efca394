"""Lays the report out: text for a terminal or a mail, HTML for a browser or a printer."""

import re
import textwrap
import unicodedata
from collections.abc import Collection, Sequence
from functools import cache
from typing import TYPE_CHECKING, Final

from energy_analytics import words
from energy_analytics.report import charts, content
from energy_analytics.results import Advice, Analysis

if TYPE_CHECKING:
    from jinja2 import Environment

TEXT_WIDTH: Final = 80
_UNIT: Final = re.compile(r"(?<=\d) (?=(?:[TGMkm]?Wh?|%|[A-Z]{3})(?!\w))")
"""The space between a number and its unit, at which no line is broken."""
_GLUE: Final = "\N{NO-BREAK SPACE}"


def render_text(analysis: Analysis, advice: Advice, *, source_name: str, dismissed: Collection[str] = ()) -> str:
    """Render the report as plain text, 80 characters wide, without the episodes whose ids are dismissed."""
    page = content.build(analysis, advice, source_name=source_name, dismissed=dismissed)
    return _environment(autoescape=False).get_template("report.txt.j2").render(page=page)


def render_html(analysis: Analysis, advice: Advice, *, source_name: str, dismissed: Collection[str] = ()) -> str:
    """Render the same as one HTML file without scripts and without anything to fetch."""
    page = content.build(analysis, advice, source_name=source_name, dismissed=dismissed)
    drawn = charts.draw(analysis)
    return _environment(autoescape=True).get_template("report.html.j2").render(page=page, charts=drawn)


@cache
def _environment(*, autoescape: bool) -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(  # nosec B701
        loader=PackageLoader("energy_analytics.report", "templates"),
        autoescape=autoescape,  # noqa: S701 - off for plain text only
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "capitalized": lambda text: text[:1].upper() + text[1:],
        "energy": words.energy,
        "percent": words.percent,
        "number": words.number,
        "pairs": lambda rows: [(row.name, row.value) for row in rows],
        "share_rows": _share_rows,
        "glue": _glue,
        "wrap": _wrap,
        "columns": _columns,
        "underline": lambda heading: f"{heading}\n{'=' * len(heading)}",
    }
    return environment


def _share_rows(rows: Sequence[content.Share]) -> list[tuple[str, ...]]:
    """Return name, energy and share, and where there are such cost and carbon."""
    return [
        (row.name, words.energy(row.kwh), words.percent(row.percent), *filter(None, (row.cost, row.co2)))
        for row in rows
    ]


def _glue(text: str) -> str:
    return _UNIT.sub(_GLUE, text)


def _wrap(text: str, indent: int = 0, first: str = "") -> str:
    """Fill lines up to the width; `first` stands before the first of them, the rest is indented."""
    margin = " " * indent
    filled = textwrap.fill(
        _glue(text),
        TEXT_WIDTH,
        initial_indent=first or margin,
        subsequent_indent=margin,
        break_on_hyphens=False,
    )
    return filled.replace(_GLUE, " ")


def _columns(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """Set rows in columns, those numbered in `right` flush right; an over-long last column is wrapped."""
    widths = [max(_width(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = []
        for column, cell in enumerate(row):
            blank = " " * (widths[column] - _width(cell))
            cells.append(blank + cell if column in right else cell + blank)
        line = ("  " + "  ".join(cells)).rstrip()
        if _width(line) > TEXT_WIDTH:
            indent = 2 + sum(widths[:-1]) + 2 * (len(widths) - 1)
            line = _wrap(row[-1], indent, "  " + "  ".join([*cells[:-1], ""]))
        lines.append(line)
    return "\n".join(lines)


def _width(text: str) -> int:
    """Columns that the text takes on a terminal: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )
