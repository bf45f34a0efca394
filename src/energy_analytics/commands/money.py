"""`energy bill` and `energy tariffs`: what a site's energy costs, and under which tariff it costs less."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from .failures import told_in_a_sentence
from .opening import open_configured
from .options import ConfigOption, LakeOption, SiteOption, day

app = typer.Typer()
tariffs = typer.Typer(no_args_is_help=True, help="Compare and check tariffs.")
app.add_typer(tariffs, name="tariffs")

JsonOption = Annotated[bool, typer.Option("--json", help="Print as JSON; amounts are strings, exact to the cent.")]
ToOption = Annotated[
    date | None, typer.Option("--to", parser=day, metavar="DAY", help="Last day.", show_default="last read")
]
TariffFiles = Annotated[
    list[Path] | None, typer.Argument(metavar="FILE", help="Tariff files; default: the setting compare_tariffs.")
]


@app.command(epilog="Example: energy bill --site plant-a --from 2026-01-01 --to 2026-01-31")
def bill(
    site: SiteOption = "",
    first: Annotated[
        date | None,
        typer.Option("--from", parser=day, metavar="DAY", help="First day.", show_default="12 months"),
    ] = None,
    last: ToOption = None,
    tariff: Annotated[
        Path | None, typer.Option("--tariff", metavar="FILE", help="Tariff file.", show_default="settings")
    ] = None,
    lake: LakeOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bill a site's readings line by line. Energy, fixed and demand charges, taxes."""
    from .. import terminal, terminal_money
    from ..billing import bill_site
    from ..money import plain

    with told_in_a_sentence():
        opened = open_configured(config, lake=lake)
        made = bill_site(
            opened.lake,
            site,
            opened.settings,
            tariff_file=tariff,
            first=first,
            last=last,
        )
    if as_json:
        terminal.print_json(plain(made), indent=2)
    else:
        terminal_money.show_bill(made)


@tariffs.command(name="compare", epilog="Example: energy tariffs compare config/tariffs/france-*.toml")
def compare_tariffs(
    files: TariffFiles = None,
    site: SiteOption = "",
    first: Annotated[
        date | None, typer.Option("--from", parser=day, metavar="DAY", help="First day.", show_default="365 days")
    ] = None,
    last: ToOption = None,
    lake: LakeOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a site's own readings under each tariff. With the saving against its own."""
    from .. import terminal, terminal_money
    from ..billing import compare_site
    from ..money import plain

    with told_in_a_sentence():
        opened = open_configured(config, lake=lake)
        current, found = compare_site(
            opened.lake,
            site,
            files or [],
            opened.settings,
            first=first,
            last=last,
        )
    if as_json:
        rows = [
            {"saving": str(one.saving), "saving_percent": one.saving_percent, "bill": plain(one.bill)} for one in found
        ]
        terminal.print_json({"current": current, "tariffs": rows}, indent=2)
    else:
        terminal_money.show_comparison(current, found)


@tariffs.command(epilog="Example: energy tariffs check my-tariff.toml")
def check(files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Tariff files.")]) -> None:
    """Say what is wrong in tariff files, and where. Of a file without a fault, say what it tells."""
    from .. import terminal_money
    from ..money import read_tariff

    failed = False
    for file in files:
        try:
            with told_in_a_sentence():
                terminal_money.show_tariff(file, read_tariff(file))
        except typer.Exit:
            failed = True
    if failed:
        raise typer.Exit(1)
