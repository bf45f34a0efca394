"""A function's zip and its layer's zip, for a runtime and an architecture of Lambda, by pip or uv alone."""

import hashlib
import os
import shutil
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ..pipeline import check_settings
from ..settings import load_settings
from .package_archive import Entry, file_sha256, sizes_of, write_archive
from .package_bytecode import Interpreter, compiled, interpreter_for
from .package_libraries import PackageError, Target, install, requirements_for, runs_on_lambda, target_of
from .package_pruning import KEPT, LEFT_OUT, LEFT_OUT_OF_THE_DASHBOARD, is_needed
from .sources import source_file

__all__ = ["DASHBOARD", "PIPELINE", "Package", "PackageError", "Part", "build", "check_size"]

LIMIT_BYTES: Final = 262_144_000
"""Lambda's limit of the function and its layers together, unzipped."""
SETTINGS_FILE: Final = "energy.toml"
_FORMAT: Final = 1
"""Raised when a layer is made otherwise from the same requirements and rules."""
_KEPT_DAYS: Final = 60
"""A layer that no build has used for so long leaves the cache."""
_SHOWN: Final = 15
_MB: Final = 1_000_000

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Part:
    """One of the two functions: what its archives are called and made of."""

    name: str
    handler: str
    requirements: str
    left_out: dict[str, str]
    """Of the libraries, with the reason."""

    @property
    def function_zip(self) -> str:
        """The file with the function."""
        return f"{self.name}-function.zip"

    @property
    def layer_zip(self) -> str:
        """The file with its libraries."""
        return f"{self.name}-layer.zip"


PIPELINE: Final = Part("energy-pipeline", "lambda_function.py", "lambda/requirements.txt", LEFT_OUT)
DASHBOARD: Final = Part(
    "energy-dashboard",
    "dashboard_function.py",
    "lambda/requirements-dashboard.txt",
    LEFT_OUT | LEFT_OUT_OF_THE_DASHBOARD,
)


@dataclass(frozen=True, slots=True)
class Package:
    """The two archives of a function."""

    function: Path
    layer: Path
    function_sha256: str
    """Of the file, in hexadecimal."""
    layer_sha256: str
    unzipped_bytes: int
    """Of both together: what Lambda limits."""


def build(
    out: Path, *, runtime: str, architecture: str, settings_file: Path | None, say: Say, part: Part = PIPELINE
) -> Package:
    """Write `<part>-function.zip` and `<part>-layer.zip` into `out`.

    The same sources, requirements, target and Python for compiling give the same bytes. `settings_file` goes
    along as `energy.toml`. Raises PackageError, and SettingsError for a wrong setting.
    """
    target = target_of(runtime, architecture)
    named = {} if settings_file is None else _named_files(settings_file)
    if not runs_on_lambda(target):
        say(
            f"For an emulator only: the libraries need glibc 2.27, and {runtime} on AWS has 2.26. "
            "python3.12 and later have 2.34."
        )
    interpreter = interpreter_for(target)
    if interpreter is None:
        say(
            f"No Python {target.python} here to compile for: each cold start takes about 2 s longer. "
            f"`uv python install {target.python}` mends that."
        )
    out.mkdir(parents=True, exist_ok=True)
    function, layer = out / part.function_zip, out / part.layer_zip
    kept = _layer(part, target, interpreter, say)
    shutil.copyfile(kept, layer)
    with tempfile.TemporaryDirectory() as work:
        entries = list(_function_entries(part, settings_file, named))
        if interpreter is not None:
            entries += compiled(entries, interpreter, folder=Path(work), mounted="/var/task")
        write_archive(function, entries)
    unzipped = check_size({"function": sizes_of(function), "layer": sizes_of(layer)})
    say(
        f"{part.name}: function {function.stat().st_size / _MB:.1f} MB, layer {layer.stat().st_size / _MB:.1f} MB; "
        f"unzipped {unzipped / _MB:.1f} of {LIMIT_BYTES / _MB:.1f} MB."
    )
    return Package(function, layer, file_sha256(function), file_sha256(layer), unzipped)


def check_size(archives: Mapping[str, Mapping[str, int]]) -> int:
    """Return the unzipped bytes of archives, each given as bytes by file name.

    Raises PackageError with a table of what is big when Lambda would refuse them.
    """
    total = sum(sum(sizes.values()) for sizes in archives.values())
    if total <= LIMIT_BYTES:
        return total
    parts: Counter[str] = Counter()
    for archive, sizes in archives.items():
        for name, size in sizes.items():
            top = name.removeprefix("python/").split("/")[0]
            parts[f"{top} ({archive})"] += size
    width = max(len(part) for part, _ in parts.most_common(_SHOWN))
    table = "\n".join(f"  {part:<{width}}  {size / _MB:7.1f} MB" for part, size in parts.most_common(_SHOWN))
    raise PackageError(
        f"Function and layer are {total:,} bytes unzipped and Lambda takes {LIMIT_BYTES:,}. The biggest parts:\n{table}"
    )


def _named_files(settings_file: Path) -> dict[str, Path]:
    """Return the files of tariffs and emissions that settings name, by where the function finds them.

    Refuses settings that the function could not work with, before it is deployed with them.
    """
    settings = load_settings(config=settings_file)
    given = tomllib.loads(settings_file.read_text(encoding="utf-8"))
    sites: dict[str, dict[str, Any]] = given.get("sites", {})
    tables = (given, *sites.values())
    if any("temperature_file" in own for own in tables):
        raise PackageError(
            f"{settings_file} names a temperature_file, which the function on AWS cannot read: it would be days old by "
            "the next upload. Deploy with a settings file that leaves it out."
        )
    names = [
        name
        for own in tables
        for name in (own.get("tariff_file"), own.get("carbon_file"), *own.get("compare_tariffs", ()))
        if name is not None
    ]
    for name in names:
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise PackageError(
                f"{settings_file} names {name}, which would not be there on AWS. Name it by a path from this folder on."
            )
    check_settings(settings)
    return {Path(name).as_posix(): Path(name) for name in names}


def _function_entries(part: Part, settings_file: Path | None, named: Mapping[str, Path]) -> Iterable[Entry]:
    yield Entry(part.handler, source_file(f"lambda/{part.handler}"))
    if settings_file is not None:
        yield Entry(SETTINGS_FILE, settings_file)
    for name, path in named.items():
        yield Entry(name, path)
    package = Path(__file__).resolve().parents[1]
    carried = package / "aws" / "files"
    for path in package.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts and not path.is_relative_to(carried):
            yield Entry(path.relative_to(package.parent).as_posix(), path)


def _layer(part: Part, target: Target, interpreter: Interpreter | None, say: Say) -> Path:
    """Return the layer's zip from the cache, where it is made when it is not there.

    A cached file bears its own hash in its name and is renamed into place, so that one that is there whole
    is told from one that is not.
    """
    requirements = requirements_for(target, source_file(part.requirements).read_text(encoding="utf-8"))
    compiled_by = "" if interpreter is None else interpreter.version
    made_of = [str(_FORMAT), *map(str, (target, part.left_out, KEPT)), compiled_by, requirements]
    key = hashlib.sha256("\0".join(made_of).encode()).hexdigest()[:16]
    cache = _cache_folder()
    for there in cache.glob(f"layer-{key}-*.zip"):
        if there.stem.rpartition("-")[2] == file_sha256(there):
            there.touch()
            return there
        there.unlink()
    say(
        f"Building the layer of {part.name} for {target.runtime} on {target.architecture} "
        "(once for these requirements)."
    )
    with tempfile.TemporaryDirectory(dir=cache) as name:
        work = Path(name)
        install(target, requirements, work)
        site = work / "site"
        files = ((path, path.relative_to(site).as_posix()) for path in site.rglob("*") if path.is_file())
        entries = [Entry(f"python/{relative}", path) for path, relative in files if is_needed(relative, part.left_out)]
        if interpreter is not None:
            entries += compiled(entries, interpreter, folder=work / "compiled", mounted="/opt")
        made = work / "layer.zip"
        write_archive(made, entries)
        return made.replace(cache / f"layer-{key}-{file_sha256(made)}.zip")


def _cache_folder() -> Path:
    """Return the folder of layers made before, without those that no build has used for long."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = home / "energy-analytics-system"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("layer-*.zip"):
            if time.time() - old.stat().st_mtime > _KEPT_DAYS * 86400:
                old.unlink(missing_ok=True)
    except OSError as error:
        raise PackageError(
            f"The folder {folder} for built layers cannot be written: {error.strerror}. "
            "XDG_CACHE_HOME names another place."
        ) from error
    return folder
