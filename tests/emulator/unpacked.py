"""What a sandbox shows to a function, as folders: its unpacked zips, and the packages of the runtime itself."""

import compileall
import hashlib
import importlib.metadata
import importlib.util
import io
import os
import shutil
import stat
import threading
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement

RUNTIME_PACKAGES: Final = ("awslambdaric", "boto3")  # what Lambda's Python brings besides the standard library
_making = threading.Lock()


def unpack(zips: Sequence[bytes], *, below: Path) -> Path:
    """Unpack the zips into one folder, later ones over earlier ones; the same zips are unpacked once."""
    digest = hashlib.sha256(b"".join(hashlib.sha256(data).digest() for data in zips)).hexdigest()
    folder = below / digest
    with _making:
        if not folder.exists():
            partial = below / f"{digest}.partial"
            partial.mkdir(parents=True)
            for data in zips:
                _extract(data, partial)
            partial.rename(folder)
    return folder


def unzipped_bytes(data: bytes) -> int:
    """Return the size of a zip's content."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return sum(entry.file_size for entry in archive.infolist())


def readable(data: bytes) -> bytes:
    """Return the zip with every file readable by everyone."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            copy = zipfile.ZipInfo(entry.filename, entry.date_time)
            copy.external_attr = (stat.S_IFREG | 0o644) << 16
            target.writestr(copy, source.read(entry))
    return buffer.getvalue()


def runtime_packages(folder: Path) -> Path:
    """Copy the runtime's own packages and what they need from the installed distributions."""
    with _making:
        if not folder.exists():
            partial = folder.with_name(f"{folder.name}.partial")
            for distribution in _with_requirements(RUNTIME_PACKAGES):
                for file in distribution.files or ():
                    _link(Path(str(distribution.locate_file(file))), partial / file, root=partial)
            compileall.compile_dir(partial, quiet=2, workers=1)
            partial.rename(folder)
    return folder


def _extract(data: bytes, folder: Path) -> None:
    """Unpack with the permissions that the zip states: the sandbox's user is a stranger, as on the service."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for entry in archive.infolist():
            mode = entry.external_attr >> 16
            path = Path(archive.extract(entry, folder))
            if stat.S_ISLNK(mode):
                target = path.read_text()
                path.unlink()
                path.symlink_to(target)
            else:
                path.chmod(0o755 if entry.is_dir() else stat.S_IMODE(mode) or 0o644)


def _with_requirements(names: Sequence[str]) -> list[importlib.metadata.Distribution]:
    found: dict[str, importlib.metadata.Distribution] = {}
    pending = list(names)
    while pending:
        distribution = importlib.metadata.distribution(pending.pop())
        if distribution.name in found:
            continue
        found[distribution.name] = distribution
        for line in distribution.requires or ():
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                pending.append(requirement.name)
    return list(found.values())


def _link(source: Path, target: Path, *, root: Path) -> None:
    """Give `target` the content of `source`, without a copy where that is possible, with its compiled form."""
    inside = root.resolve() in (target.parent.resolve() / target.name).parents
    if not inside or not source.is_file() or target.exists():
        return  # a command of the distribution, outside of the packages
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
    if source.suffix == ".py":
        _link(Path(importlib.util.cache_from_source(source)), Path(importlib.util.cache_from_source(target)), root=root)
