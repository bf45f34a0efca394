"""Printing what was measured: as text, and as the tables between the markers of a Markdown page."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.speed.figures import Claim, Table

CLAIMS_HEADER: Final = ("claim", "measured", "target", "verdict")
END: Final = "<!-- end -->"

Results = Mapping[str, Mapping[str, Any]]
"""By case: claims, tables, figures and circumstances, as they are in JSON."""


def claims_of(result: Mapping[str, Any]) -> list[Claim]:
    return [Claim(**claim) for claim in result["claims"]]


def tables_of(result: Mapping[str, Any]) -> list[Table]:
    return [
        Table(table["title"], tuple(table["header"]), tuple(tuple(row) for row in table["rows"]))
        for table in result["tables"]
    ]


def claim_rows(claims: Sequence[Claim], *, missed: str) -> list[tuple[str, ...]]:
    return [(claim.what, claim.measured, claim.target, "met" if claim.met else missed) for claim in claims]


def as_text(results: Results) -> str:
    """Return all tables as text in columns, the claims last."""
    parts = [
        f"{table.title}\n\n{columns(table.header, table.rows)}"
        for result in results.values()
        for table in tables_of(result)
    ]
    claims = [claim for result in results.values() for claim in claims_of(result)]
    lines = [columns(CLAIMS_HEADER, claim_rows(claims, missed="MISSED"))]
    lines += [f"{claim.what}: {claim.note}" for claim in claims if claim.note]
    return "\n\n".join([*parts, "\n".join(lines)])


def columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in (header, *rows)
    )


def as_markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = ["---", *["---:"] * (len(header) - 1)]
    return "\n".join(f"| {' | '.join(line)} |" for line in (header, rule, *rows))


def write_page(page: Path, results: Results) -> None:
    """Put the tables between the page's markers: `<!-- measured: claims -->`, or the name of a case, to `<!-- end -->`.

    The words around them stay. A case that has not been measured keeps what is there. Raises ValueError when the
    page has no place for a case that was.
    """
    text = page.read_text(encoding="utf-8")
    parts = {"claims": _claims(results)} | {name: _case(result) for name, result in results.items()}
    for name, part in parts.items():
        begin = f"<!-- measured: {name} -->\n"
        before, found, after = text.partition(begin)
        _, ended, rest = after.partition(END)
        if not found or not ended or begin in rest:
            raise ValueError(f"{page} must have one {begin.strip()} and {END} after it")
        text = f"{before}{begin}{part}\n{END}{rest}"
    page.write_text(text, encoding="utf-8")


def _claims(results: Results) -> str:
    claims = [claim for result in results.values() for claim in claims_of(result)]
    return as_markdown(CLAIMS_HEADER, claim_rows(claims, missed="**missed**"))


def _case(result: Mapping[str, Any]) -> str:
    at = result["circumstances"]
    told = (
        f"`{at['command']}`, {at['date']}, commit `{at['commit']}`, {at['machine']}; "
        f"load before it: {at['load']} processes."
    )
    tables = [f"**{table.title}**\n\n{as_markdown(table.header, table.rows)}" for table in tables_of(result)]
    notes = [f"{claim.what}: {claim.note}" for claim in claims_of(result) if claim.note]
    return "\n\n".join([*tables, *notes, told])
