"""`energy serve`: the dashboard and the API over a lake."""

import ipaddress
import os
import socket
import webbrowser
from typing import TYPE_CHECKING, Annotated, Final

import typer

from .failures import fail, told_in_a_sentence
from .opening import open_configured
from .options import ConfigOption, LakeOption

if TYPE_CHECKING:
    from ..web import Access

TOKEN: Final = "ENERGY_API_TOKEN"  # noqa: S105 - the name of a variable
_DEFAULT_PORT: Final = 8000

app = typer.Typer()


@app.command(epilog="Example: energy serve --open")
def serve(
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address to listen on. Another needs ENERGY_API_TOKEN set.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="N", min=0, max=65535, help="Port; 0 takes a free one.")] = _DEFAULT_PORT,
    open_it: Annotated[bool, typer.Option("--open", help="Open the dashboard in the browser.")] = False,
    lake: LakeOption = None,
    config: ConfigOption = None,
) -> None:
    """Show the lake in a browser, and run what is uploaded there. Only this machine sees it, unless --host is given."""
    from .. import terminal
    from ..pipeline import check_settings

    access = _access(host)
    with told_in_a_sentence():
        opened = open_configured(config, lake=lake)
        check_settings(opened.settings)
        from ..web import create_app
        from ..web.server import listen
        from ..web.server import serve as serve_app

        try:
            listening = listen(host, port)
        except OSError as error:
            why = os.strerror(error.errno) if error.errno else str(error)
            fail(f"Port {port} of {host} cannot be taken: {why}. Choose another with --port, or 0 for a free one.")
        made = create_app(opened.lake, opened.settings, access=access)
        address = f"http://{_shown(host)}:{listening.getsockname()[1]}/"

        def started() -> None:
            terminal.print_plain(f"The dashboard of {opened.settings.lake} is at {address} ; Ctrl-C ends it.")
            if open_it and not webbrowser.open(address):
                terminal.complain(f"There is no browser to open {address} with.")

        serve_app(made, listening, started=started)


def _access(host: str) -> "Access":
    """Return who may ask: everyone on this machine, and elsewhere whoever has the token."""
    from ..web import Access
    from ..web.access import LOOPBACK

    token = os.environ.get(TOKEN, "")
    if token:
        return Access.token(token)
    if not _is_loopback(host):
        fail(f"{host} can be reached from other machines: set {TOKEN} to a secret that the dashboard asks for.", code=2)
    return Access.open({*LOOPBACK, host})


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        pass
    try:
        found = {info[4][0] for info in socket.getaddrinfo(host, None)}
    except OSError:
        return False
    return bool(found) and all(ipaddress.ip_address(str(one)).is_loopback for one in found)


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
