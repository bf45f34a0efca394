"""What the command line shows: tables of results, and progress on a terminal."""

import csv
import io
import json
import math
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.prompt import Prompt
from rich.table import Table
from rich.text import Text

from . import words
from .schema import PREFIXES, REJECTED_ROWS, TABLES, VIEWS

if TYPE_CHECKING:
    import duckdb

    from .forecasting import Score
    from .lake import StoredObject
    from .pipeline import Progress
    from .runs import Manifest

_WIDTH_WITHOUT_TERMINAL: Final = 100
_POLL_SECONDS: Final = 0.1
_SHOWN_APPLIANCES: Final = 12
_SHOWN_FAILURES: Final = 5


def console(*, stderr: bool = False) -> Console:
    """Return where to print: coloured on a terminal, plain and of a fixed width elsewhere."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _WIDTH_WITHOUT_TERMINAL
    return _Console(stderr=stderr, width=width, highlight=False, markup=False, emoji=False)


class _Console(Console):
    """Prints nothing that the terminal would obey but what it makes itself: texts come from strangers' files."""

    def print(self, *objects: Any, **how: Any) -> None:
        """Print texts without control characters and marks of direction."""
        super().print(*map(_harmless, objects), **how)


class _Table(Table):
    """A table whose cells are as harmless."""

    def add_row(self, *cells: Any, **how: Any) -> None:
        """Add a row of texts without control characters and marks of direction."""
        super().add_row(*map(_harmless, cells), **how)


def _harmless(printed: Any) -> Any:
    if isinstance(printed, str):
        return words.printable(printed)
    if isinstance(printed, Text) and words.printable(printed.plain) != printed.plain:
        return Text(words.printable(printed.plain), style=printed.style)
    return printed


def table(*columns: str, right: Sequence[str] = ()) -> Table:
    """Return an empty table; the columns in `right` are numbers."""
    made = _Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return made


def show_run(manifest: "Manifest", *, lake: str) -> None:
    """Print what a run found and where its files are."""
    from .intake import REMEDIES

    out = console()
    intake, results, outputs = manifest["intake"], manifest["results"], manifest["outputs"]
    rejected = intake["rows_read"] - intake["rows_accepted"]
    verdict = f"{intake['rows_accepted']:,} of {words.count(intake['rows_read'], 'row')} used"
    out.print(Text(f"{manifest['upload']['key'].split('/')[-1]}: {verdict}", style="bold"))
    if rejected:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in intake["rejected_by_reason"].items())
        out.print(
            Text(
                f"{words.count(rejected, 'row')} refused ({reasons}); see {lake}/{outputs['rejected']}", style="yellow"
            ),
            soft_wrap=True,
        )
        for reason in intake["rejected_by_reason"]:
            if reason in REMEDIES:
                out.print(Text(f"{REMEDIES[reason]} Then run the file again.", style="yellow"), soft_wrap=True)
    for doubt in results["doubts"]:
        out.print(Text(doubt, style="yellow"), soft_wrap=True)
    out.print()
    rows = table(
        "Appliance", "kWh", "Cost", "Share", "Peak hour", "Anomalies", right=("kWh", "Cost", "Share", "Anomalies")
    )
    total = results["total_kwh"]
    money = results["money"]
    costs = {one["appliance"]: one["cost"] for one in money["by_appliance"]}

    def cost(amounts: Sequence[float | None]) -> str:
        if None in amounts:
            return "-"
        return words.money(sum(filter(None, amounts)), money["currency"])

    for one in results["appliances"][:_SHOWN_APPLIANCES]:
        share = f"{100 * one['total_kwh'] / total:.1f} %" if total else "-"
        hour = one["peak_hour"]
        rows.add_row(
            Text(words.name(one["appliance"])),
            words.number(one["total_kwh"]),
            cost([costs.get(one["appliance"])]),
            share,
            f"{hour:02d}:00-{(hour + 1) % 24:02d}:00" if (one["step_minutes"] or 0) <= 60 else "-",
            f"{one['anomalies']:,}",
        )
    others = results["appliances"][_SHOWN_APPLIANCES:]
    if others:
        energy = sum(one["total_kwh"] for one in others)
        rows.add_row(
            f"{len(others):,} others",
            words.number(energy),
            cost([costs.get(one["appliance"]) for one in others]),
            f"{100 * energy / total:.1f} %" if total else "-",
            "",
            f"{sum(one['anomalies'] for one in others):,}",
        )
    rows.add_section()
    used = [costs.get(one["appliance"]) for one in results["appliances"]]
    rows.add_row("Total", words.number(total), cost(used), "", "", f"{results['anomalies']:,}", style="bold")
    out.print(rows)
    out.print()
    first, last = results["first"][:16], results["last"][:16]
    out.print(f"Period    {first} to {last}, {words.count(results['complete_days'], 'complete day')}")
    dismissed = manifest["dismissed"]
    episodes = [one for one in results["episodes"] if one["status"] != "withdrawn" and one["id"] not in dismissed]
    going_on = sum(one["status"] == "open" for one in episodes)
    out.print(f"Episodes  {words.count(len(episodes), 'episode')} of unusual use, {going_on:,} going on")
    forecast = results["forecast"]
    if forecast["days"]:
        ahead = [one["cost"] for one in money["forecast"]]
        out.print(
            f"Forecast  {words.number(forecast['kwh'])} kWh{f', {cost(ahead)},' if ahead else ''} in the 7 days from "
            f"{forecast['days'][0]} ({forecast['model'].replace('_', ' ')})"
        )
    else:
        out.print("Forecast  none: no day of the history is complete")
    _show_money(out, money)
    for label, key in (
        ("Report", "report_html"),
        ("", "report_text"),
        ("Results", "processed"),
        ("", "forecast"),
        ("", "anomalies"),
    ):
        out.print(f"{label:<10}{lake}/{outputs[key]}", soft_wrap=True)


def _show_money(out: Console, money: Mapping[str, Any]) -> None:
    """Print the bill to come, the price and the carbon, each with what it rests on."""
    expected, tariff, carbon, currency = money["expected"], money["tariff"], money["carbon"], money["currency"]
    lines = []
    if expected:
        month = words.month(date.fromisoformat(f"{expected['month']}-01"))
        low, high = (words.money(expected[end], currency).removesuffix(f" {currency}") for end in ("lower", "upper"))
        total = words.money(expected["total"], currency)
        lines.append(("Bill", f"{total} expected for {month} (between {low} and {high})"))
    if money["unpriced"]:
        lines.append(("Cost", money["unpriced"]))
    else:
        lines.append(("Price", tariff["terms"] + (", an assumption" if tariff["is_default"] else "")))
    if money["bill"] and money["bill"]["fed_in_kwh"]:
        earned = -sum(one["cost"] for one in money["by_appliance"] if one["cost"] < 0)
        lines.append(("Fed in", f"{words.energy(money['bill']['fed_in_kwh'])}, {words.money(earned, currency)}"))
    shifting = money["shifting"]
    if shifting and shifting["saving_per_year"]:
        saving = words.money(shifting["saving_per_year"], currency)
        lines.append(("Saving", f"{saving} a year by running at cheaper hours what can wait; see the report"))
    assumed = ", an assumption" if carbon["is_default"] else ""
    lines.append(("Carbon", f"{words.weight(carbon['kg'])} at {carbon['terms']}{assumed}"))
    for label, text in lines:
        out.print(f"{label:<10}{text}", soft_wrap=True)


def show_results(manifests: "Sequence[Manifest]", waiting: "Sequence[StoredObject]", *, lake: str) -> None:
    """Print the runs of a lake and the uploads that wait for theirs."""
    out = console()
    for stored in waiting:
        out.print(f"Waiting   {stored.key} (uploaded {stored.modified:%Y-%m-%d %H:%M:%S} UTC)", soft_wrap=True)
    is_remote = lake.startswith("s3://")
    if waiting:
        out.print(
            "The function runs what waits; energy logs and energy redrive --dry-run tell what it could not run."
            if is_remote
            else "energy watch runs what waits.",
            soft_wrap=True,
        )
    if not manifests:
        start = "" if waiting else f" Start with: energy {'upload' if is_remote else 'run'} FILE"
        out.print(f"The lake {lake} holds no run yet.{start}", soft_wrap=True)
        return
    rows = table("Uploaded (UTC)", "Site", "File", "Status", "kWh", "Anomalies", right=("kWh", "Anomalies"))
    for manifest in manifests:
        key = manifest["upload"]["key"]
        results = manifest.get("results")
        rows.add_row(
            manifest["upload"]["uploaded_at"][:19].replace("T", " "),
            Text(words.name(manifest["site"]) if manifest["site"] else "-"),
            Text(words.name(key.split("/")[-1])),
            manifest["status"],
            words.number(results["total_kwh"]) if results else "",
            f"{results['anomalies']:,}" if results else "",
        )
    out.print(rows)
    newest = manifests[0]
    out.print()
    if newest["status"] == "succeeded":
        for output, key in newest["outputs"].items():
            out.print(f"{output.replace('_', ' '):<12} {lake}/{key}", soft_wrap=True)
    else:
        out.print(Text(f"The newest run failed: {newest['error']}", style="red"), soft_wrap=True)
    others = [one for one in manifests[1:] if one["status"] == "failed"]
    for manifest in others[:_SHOWN_FAILURES]:
        out.print(Text(f"{manifest['upload']['key']} failed: {manifest['error']}", style="red"), soft_wrap=True)
    if len(others) > _SHOWN_FAILURES:
        out.print(f"{len(others) - _SHOWN_FAILURES:,} more failed; energy results --site NAME tells why.")


def show_scores(scores: "Sequence[Score]") -> None:
    """Print how models did on past days, the best first."""
    from .results import SCORES_IN_WORDS

    rows = table(
        "Model",
        "MASE",
        "WAPE",
        "Within 80 %",
        "Days",
        "Seconds",
        right=("MASE", "WAPE", "Within 80 %", "Days", "Seconds"),
    )
    for one in sorted(scores, key=lambda score: (math.isnan(score.mase), score.mase)):
        rows.add_row(
            one.model,
            f"{one.mase:.3f}",
            f"{100 * one.wape:.1f} %",
            f"{100 * one.coverage:.0f} %",
            f"{one.days:,}",
            f"{one.seconds:.2f}",
        )
    console().print(rows)
    console().print()
    console().print(f"{SCORES_IN_WORDS} Each forecast is of 7 days, from the days before alone.")


def show_contents(found: "Sequence[StoredObject]", *, lake: str) -> None:
    """Print how much lies under each prefix of a lake."""
    if not found:
        print_plain(f"The lake {lake} is empty.")
        return
    rows = table("Prefix", "Files", "Bytes", right=("Files", "Bytes"))
    for prefix in PREFIXES:
        own = [stored.size_bytes for stored in found if stored.key.startswith(f"{prefix}/")]
        if own:
            rows.add_row(f"{lake}/{prefix}/", f"{len(own):,}", f"{sum(own):,}")
    console().print(rows)


def show_findings(found: Sequence[tuple[Mapping[str, Any], str]]) -> None:
    """Print findings, each with its words: id, what it saves in a year, text."""
    of_sites = any(row["site"] for row, _ in found)
    columns = table("Id", *(["Site"] if of_sites else []), "Saves a year", "Finding")
    for row, text in found:
        kwh = row["figures"].get("saving_kwh_per_year")
        money = row["figures"].get("saving_per_year")
        saves = words.money(money, row["labels"]["currency"]) if money else words.energy(kwh) if kwh else ""
        told = f"(dismissed) {text}" if row["dismissed"] else text
        site = [words.name(row["site"])] if of_sites else []
        columns.add_row(row["id"], *site, saves, told)
    console().print(columns)


def show_queries(named: Mapping[str, str]) -> None:
    """Print the named queries and the tables that SQL can ask."""
    rows = table("Query", "What it tells")
    for name, sql in named.items():
        rows.add_row(name, sql.splitlines()[0].removeprefix("-- "))
    console().print(rows)
    console().print()
    columns = table("Table", "Columns")
    for view in VIEWS.values():
        columns.add_row(view.name, ", ".join(view.column_names))
    for one in TABLES.values():
        if one is not REJECTED_ROWS and one.name not in VIEWS:
            columns.add_row(one.name, ", ".join(one.column_names))
    console().print(columns)
    console().print()
    for view in VIEWS.values():
        console().print(f"{view.name}: {view.meaning}", style="dim", soft_wrap=True)


def choose_query(named: Mapping[str, str]) -> str:
    """Ask which query to run on a terminal; the answer is a number, a name or SQL."""
    names = list(named)
    for number, (name, sql) in enumerate(named.items(), start=1):
        print_plain(f"{number}. {sql.splitlines()[0].removeprefix('-- ')}  ({name})")
    answer = Prompt.ask("Number, name or SQL", console=console())
    return names[int(answer) - 1] if answer.isdigit() and 1 <= int(answer) <= len(names) else answer


def show_rows(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, form: str) -> None:
    """Print the answer to a query as `table`, `csv` or `json`."""
    if form == "json":
        records = [dict(zip(columns, map(_plain, row), strict=True)) for row in rows]
        print_json(records, default=str)
    elif form == "csv":
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(map(words.csv_cell, columns))
        writer.writerows(map(words.csv_cell, row) for row in rows)
        print_data(text.getvalue())
    else:
        numbers = [
            name
            for index, name in enumerate(columns)
            if any(isinstance(row[index], int | float | Decimal) for row in rows)
        ]
        shown = table(*columns, right=numbers)
        for row in rows:
            shown.add_row(*[_cell(value) for value in row])
        console().print(shown)
        console().print(words.count(len(rows), "row"), style="dim")


def print_plain(text: str, *, end: str = "\n") -> None:
    """Write text to standard output, without what a terminal would obey."""
    sys.stdout.write(words.printable(text) + end)
    sys.stdout.flush()


def print_json(value: Any, *, indent: int | None = None, default: Callable[[Any], Any] | None = None) -> None:
    """Write a value as JSON, in which what cannot be seen is written as an escape."""
    print_plain(words.visible_json(json.dumps(value, indent=indent, default=default, ensure_ascii=False)))


def print_data(text: str) -> None:
    """Write data for another program as they are; on a terminal like any text."""
    sys.stdout.write(words.printable(text) if sys.stdout.isatty() else text)
    sys.stdout.flush()


def complain(message: str) -> None:
    """Write an error to standard error as one paragraph."""
    shown = words.without_credentials(message)
    console(stderr=True).print(Text(f"Error: {shown}", style="red"), soft_wrap=True)


@contextmanager
def progress() -> "Iterator[Progress]":
    """Show the stage of a run, how far its query is, and the time left; nothing when not on a terminal."""
    if not sys.stderr.isatty():
        yield lambda stage, engine, rows: None
        return
    import duckdb
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    bars = Bars(
        TextColumn("{task.description:<22}"),
        BarColumn(),
        TextColumn("{task.fields[rows]}"),
        TimeRemainingColumn(),
        TimeElapsedColumn(),
        console=console(stderr=True),
        transient=True,
    )
    stopped = threading.Event()
    current: dict[str, Any] = {}

    def poll() -> None:
        while not stopped.wait(_POLL_SECONDS):
            if not current:
                continue
            try:
                percent = current["engine"].query_progress()
            except duckdb.Error:  # The run has just ended, and its engine with it.
                continue
            if percent >= 0:
                rows = current["rows"]
                done = f"{int(rows * percent / 100):,} of about {rows:,} rows" if rows else ""
                bars.update(current["task"], completed=percent, total=100, rows=done)

    def begin(stage: str, engine: "duckdb.DuckDBPyConnection", rows: int | None) -> None:
        if current:
            bars.update(current["task"], completed=100, total=100)
        current.update(
            task=bars.add_task(stage, total=None, rows=words.count(rows, "row") if rows else ""),
            engine=engine,
            rows=rows,
        )

    poller = threading.Thread(target=poll, daemon=True)
    with bars:
        poller.start()
        try:
            yield begin
        finally:
            stopped.set()
            poller.join()


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: decimals are numbers, and what is no number at all is null."""
    if isinstance(value, Decimal):
        return float(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _cell(value: Any) -> Text:
    if value is None or value == "":
        return Text("")
    if isinstance(value, float):
        return Text(f"{value:,.3f}" if abs(value) >= 1 else f"{value:.6g}")
    return Text(words.name(str(value)))
