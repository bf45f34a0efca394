"""`energy backtest` and `energy generate`: trying out, on past days or on invented ones."""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from .failures import fail, told_in_a_sentence
from .opening import open_configured
from .options import ConfigOption, LakeOption, SiteOption, day

app = typer.Typer()


@app.command(epilog="Example: energy backtest january.csv --models ensemble,prophet")
def backtest(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="A file of readings; default: the lake's site.")
    ] = None,
    site: SiteOption = "",
    models: Annotated[
        str | None, typer.Option(metavar="A,B", help="Models to score.", show_default="all but auto")
    ] = None,
    lake: LakeOption = None,
    config: ConfigOption = None,
) -> None:
    """Score forecast models on past days. Each forecast knows only the days before it."""
    from .. import terminal
    from ..forecasting import AUTO, MODELS
    from ..scoreboard import score_file, score_site

    with told_in_a_sentence():
        opened = open_configured(config, lake=lake)
        settings = opened.settings
        wanted = models.split(",") if models else [name for name in MODELS if name != AUTO]
        scores = score_file(file, wanted, settings) if file else score_site(opened.lake, site, wanted, settings)
    terminal.show_scores(scores)


@app.command(epilog="Example: energy generate --days 90 --seed 7 --out data/output")
def generate(
    days: Annotated[int, typer.Option(metavar="N", min=1, max=36500, help="Days up to yesterday.")] = 30,
    seed: Annotated[int, typer.Option(metavar="N", help="The same seed gives the same readings.")] = 42,
    out: Annotated[Path, typer.Option(metavar="PATH", help="Folder, or CSV file.")] = Path("data/output"),
    end: Annotated[
        date | None, typer.Option(parser=day, metavar="DAY", help="Last day.", show_default="yesterday")
    ] = None,
) -> None:
    """Invent hourly readings of a home, with known faults. The labels of the faults lie beside them."""
    from .. import synthetic, terminal

    last = end or datetime.now().astimezone().date() - timedelta(days=1)
    if last.toordinal() < days:
        fail(f"{days:,} days up to {last} would begin before the year 1.", code=2)
    readings, faults = synthetic.generate(start=last - timedelta(days=days - 1), days=days, seed=seed)
    with told_in_a_sentence():
        path, labels = synthetic.write(out, readings=readings, faults=faults)
    terminal.print_plain(f"{path}: {len(readings):,} readings of {days:,} days up to {last}")
    terminal.print_plain(f"{labels}: {len(faults):,} known faults")
