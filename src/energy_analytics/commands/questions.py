"""`energy query`: SQL over the lake, on DuckDB or on Athena."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from .failures import fail, told_in_a_sentence
from .opening import Opened, open_configured
from .options import ConfigOption, Form, LakeOption

if TYPE_CHECKING:
    from ..query import Rows

app = typer.Typer()


@app.command(
    epilog='Example: energy query "SELECT appliance, sum(kwh) FROM readings GROUP BY 1"   or: energy query daily_trend'
)
def query(
    sql: Annotated[str | None, typer.Argument(metavar="SQL|NAME", help="A SELECT, or the name of a query.")] = None,
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="The name of a query.")] = None,
    show_list: Annotated[bool, typer.Option("--list", help="List the named queries and the tables.")] = False,
    form: Annotated[Form, typer.Option("--format", help="How to print the answer.")] = Form.TABLE,
    lake: LakeOption = None,
    config: ConfigOption = None,
) -> None:
    """Ask the lake in SQL; reads only. In DuckDB's SQL, on AWS in Athena's. Without SQL, offers a menu."""
    from .. import terminal
    from ..query import named_queries

    wanted = sql or name
    if show_list:
        terminal.show_queries(named_queries())
        return
    if wanted is None:
        if not sys.stdin.isatty():
            fail("Say what to ask: a SELECT, or one of " + ", ".join(named_queries()) + ".", code=2)
        wanted = terminal.choose_query(named_queries())
    with told_in_a_sentence():
        answer = _answer(open_configured(config, lake=lake), wanted)
    terminal.show_rows(answer.columns, answer.rows, form=form.value)


def _answer(opened: Opened, wanted: str) -> "Rows":
    """Ask Athena about the lake of a deployment, and DuckDB, here, about any other."""
    from ..query import query_apart as ask

    if opened.deployment is None:
        return ask(opened.lake, wanted, opened.settings)
    from ..aws.athena import query as ask_athena

    # From the names alone: who may ask Athena need not be allowed to look at the stack.
    names = opened.deployment.names
    return ask_athena(wanted, database=names.database, workgroup=names.workgroup)
