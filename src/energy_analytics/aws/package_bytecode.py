"""Compiled modules for the archives, which the function cannot keep: its folders are read-only.

Without them each cold start compiles every source that it imports. They are made when a Python of the
target's version is on the machine that builds; its version is part of what the archive's hash depends on.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from .package_archive import Entry
from .package_libraries import PackageError, Target, uv_command

_WHO: Final = "import sys; print(*sys.version_info[:3], sep='.'); print(sys.implementation.cache_tag)"
_COMPILE: Final = """
import json, py_compile, sys, warnings
warnings.simplefilter("ignore")
for source, compiled, shown in json.load(sys.stdin):
    py_compile.compile(source, compiled, shown, True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
"""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python of the target's version on this machine."""

    command: str
    version: str
    """With the patch, such as 3.13.9."""
    cache_tag: str
    """What its compiled files are called by, such as cpython-313."""


def interpreter_for(target: Target) -> Interpreter | None:
    """Return a Python of the target's version: the one that runs, or the first that this machine offers."""
    for command in _candidates(target.python):
        try:
            told = subprocess.run([command, "-I", "-S", "-c", _WHO], capture_output=True, text=True, check=True)  # noqa: S603
            version, cache_tag = told.stdout.split()
        except (OSError, subprocess.CalledProcessError, ValueError):
            continue  # a stub of a version manager, or another program of that name
        if version.startswith(f"{target.python}."):
            return Interpreter(command, version, cache_tag)
    return None


def _candidates(version: str) -> Iterator[str]:
    yield sys.executable
    on_path = shutil.which(f"python{version}")
    if on_path:
        yield on_path
    uv = uv_command()
    if uv is not None:
        search = [uv, "python", "find", "--no-python-downloads", "--no-project", version]
        yield subprocess.run(search, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603
    pyenv = Path(os.environ.get("PYENV_ROOT") or "~/.pyenv").expanduser()
    yield from (str(one / "bin" / "python") for one in sorted(pyenv.glob(f"versions/{version}.*"), reverse=True))


def compiled(entries: Sequence[Entry], interpreter: Interpreter, *, folder: Path, mounted: str) -> list[Entry]:
    """Compile the modules among the entries into `folder`; tracebacks show them below `mounted`.

    Taken as they are, without a look at the source's time or content: the archive holds both.
    """
    made, orders = [], []
    for entry in sorted(entries, key=lambda one: one.name):
        name = PurePosixPath(entry.name)
        if name.suffix == ".py":
            target = str(name.parent / "__pycache__" / f"{name.stem}.{interpreter.cache_tag}.pyc")
            made.append(Entry(target, folder / target))
            orders.append((str(entry.path), str(folder / target), f"{mounted}/{name}"))
    ended = subprocess.run(  # noqa: S603 - our own command
        [interpreter.command, "-I", "-S", "-c", _COMPILE],
        input=json.dumps(orders),
        env=os.environ | {"PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise PackageError(f"Python {interpreter.version} could not compile a module: {ended.stderr.strip()[-300:]}")
    return made
