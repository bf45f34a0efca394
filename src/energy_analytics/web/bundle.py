"""The dashboard's modules as one script.

A browser asks for all modules of a page at once. On AWS each of those requests is a function of its own, and a new
account runs ten at a time: the rest would be refused, and a page that lacks one module stays empty.
"""

import posixpath
import re
from pathlib import Path
from typing import Final

ENTRY: Final = "main.js"
_IMPORT: Final = re.compile(r'^import (?:\* as (\w+)|\{([^}]*)\}) from "([^"]+)";$', re.MULTILINE)
_LATER: Final = re.compile(r'\bimport\("([^"]+)"\)')
_EXPORT: Final = re.compile(r"^export ((?:async )?function|const|class) (\w+)", re.MULTILINE)
_EXPORTED: Final = re.compile(r'^export \{([^}]*)\}(?: from "([^"]+)")?;$', re.MULTILINE)
_LEFT: Final = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


class UnbundledError(Exception):
    """A module that is written in a way which the bundle does not know."""


def bundled(folder: Path) -> str:
    """Return one module that does what the entry of the folder and all that it imports do.

    Each becomes a function's body, after those that it imports; what it imports later is there from the start. Raises
    UnbundledError for modules that import each other in a circle, and for forms of import and export not used so far.
    """
    written: dict[str, str] = {}
    _add(folder, ENTRY, written=written, above=())
    return "\n".join(written.values())


def _add(folder: Path, name: str, *, written: dict[str, str], above: tuple[str, ...]) -> None:
    if name in written:
        return
    if name in above:
        raise UnbundledError(f"Modules import each other in a circle: {' > '.join((*above, name))}.")
    text = (folder / name).read_text("utf-8")

    def of(path: str) -> str:
        found = posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
        _add(folder, found, written=written, above=(*above, name))
        return _variable(found)

    given = [found[2] for found in _EXPORT.finditer(text)]
    for names, source in _EXPORTED.findall(text):
        wanted = [one.strip() for one in names.split(",")]
        given += [f"{one}: {of(source)}.{one}" for one in wanted] if source else wanted
    text = _IMPORT.sub(lambda found: f"const {found[1] or _taken(found[2])} = {of(found[3])};", text)
    text = _LATER.sub(lambda found: f"Promise.resolve({of(found[1])})", text)
    text = _EXPORTED.sub("", _EXPORT.sub(r"\1 \2", text))
    if left := _LEFT.search(text):
        raise UnbundledError(f"{name}: {left[0]}")
    written[name] = f"const {_variable(name)} = (() => {{\n{text}\nreturn {{ {', '.join(given)} }};\n}})();"


def _taken(names: str) -> str:
    """Return names of an import as those of an object's parts."""
    return "{" + names.replace(" as ", ": ") + "}"


def _variable(name: str) -> str:
    return "$" + re.sub(r"\W", "_", name.removesuffix(".js"))
