"""The layer's libraries: the pinned ones that the target needs, installed in a folder without running it."""

import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from packaging.requirements import InvalidRequirement, Requirement

_MACHINES: Final = {"x86_64": "x86_64", "arm64": "aarch64"}
"""Lambda's name of an architecture, and the one in a wheel's."""
_GLIBC_MINORS: Final = range(28, 4, -1)
"""Wheels for glibc 2.28 and older: python3.12 and later run on Amazon Linux 2023, which has 2.34."""
_OLDER_NAMES: Final = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
_TOLD: Final = re.compile(r"^ *(?:error|cause): *(.+)$", re.IGNORECASE | re.MULTILINE)
"""The lines of uv and of pip that tell what went wrong."""


class PackageError(Exception):
    """The function or its layer cannot be built; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Target:
    """What the layer is built for."""

    runtime: str
    """Lambda's name, such as python3.13."""
    architecture: str
    """x86_64 or arm64."""

    @property
    def python(self) -> str:
        """The version without its patch, such as 3.13."""
        return self.runtime.removeprefix("python")

    @property
    def machine(self) -> str:
        """The architecture as a wheel's name has it."""
        return _MACHINES[self.architecture]

    def markers(self) -> dict[str, str]:
        """Return what a requirement may ask of its environment."""
        return {
            "implementation_name": "cpython",
            "implementation_version": f"{self.python}.0",
            "os_name": "posix",
            "platform_machine": self.machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": f"{self.python}.0",
            "python_version": self.python,
            "sys_platform": "linux",
            "extra": "",
        }


def target_of(runtime: str, architecture: str) -> Target:
    """Return the target. Raises PackageError for one that Lambda or this project does not have."""
    if not re.fullmatch(r"python3\.1[1-9]", runtime) or architecture not in _MACHINES:
        raise PackageError(
            f"Nothing can be built for {runtime} on {architecture}; "
            "the runtime is python3.12 or later (python3.13 is the default) and the architecture x86_64 or arm64."
        )
    return Target(runtime, architecture)


def runs_on_lambda(target: Target) -> bool:
    """Tell whether the libraries run on AWS: python3.11 is Amazon Linux 2, whose glibc 2.26 is too old for numpy."""
    return target.python != "3.11"


def requirements_for(target: Target, text: str) -> str:
    """Return the pinned requirements that the target needs, without markers, in the form of `text`.

    pip reads markers for the Python that it runs in, whatever it is asked to install for.
    """
    kept = []
    for entry in re.sub(r"\\\n\s*", " ", text).splitlines():
        wanted, *hashes = entry.partition("#")[0].split(" --hash=")
        if not wanted.strip():
            continue
        try:
            requirement = Requirement(wanted.strip())
        except InvalidRequirement as error:
            raise PackageError(f"lambda/requirements.txt has a line that cannot be read: {wanted.strip()}.") from error
        if not hashes:
            raise PackageError(
                f"lambda/requirements.txt pins {requirement.name} without hashes; run `make requirements`."
            )
        if requirement.marker is None or requirement.marker.evaluate(target.markers()):
            kept.append(
                " \\\n    ".join(
                    [f"{requirement.name}{requirement.specifier}", *(f"--hash={one.strip()}" for one in hashes)]
                )
            )
    return "\n".join(kept) + "\n"


def install(target: Target, requirements: str, folder: Path) -> None:
    """Install wheels of the target's into `folder`/site. Raises PackageError in one sentence."""
    listed = folder / "requirements.txt"
    listed.write_text(requirements, encoding="utf-8")
    command = [*_installer(target), "--target", str(folder / "site"), "--requirement", str(listed)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    if ended.returncode:
        raise PackageError(
            f"The layer's libraries for {target.runtime} on {target.architecture} could not be installed: "
            f"{_reason(ended.stderr or ended.stdout)}"
        )


def _installer(target: Target) -> Sequence[str]:
    common = ("--python-version", target.python, "--only-binary", ":all:", "--no-deps", "--require-hashes")
    uv = uv_command()
    if uv is not None:
        platform = f"{target.machine}-manylinux_2_{_GLIBC_MINORS[0]}"
        python = ("--python", sys.executable, "--python-platform", platform)
        return (uv, "pip", "install", "--quiet", "--no-progress", "--link-mode", "copy", *python, *common)
    tags = [f"manylinux_2_{minor}" for minor in _GLIBC_MINORS]
    for minor, name in _OLDER_NAMES.items():
        tags.insert(tags.index(f"manylinux_2_{minor}") + 1, name)
    platforms = [option for tag in tags for option in ("--platform", f"{tag}_{target.machine}")]
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input")
    # pip asks each package whether it suits the Python that runs pip; the wheels' tags say what suits the target.
    return (*pip, "--ignore-requires-python", "--no-compile", "--implementation", "cp", *platforms, *common)


def uv_command() -> str | None:
    """Return where uv is: on the path or beside the Python that runs."""
    beside = Path(sys.executable).with_name("uv")
    return shutil.which("uv") or (str(beside) if beside.is_file() else None)


def _reason(output: str) -> str:
    """Return the installer's reason in one sentence."""
    if "No module named pip" in output:
        return f"{sys.executable} has neither uv nor pip beside it; install uv (https://docs.astral.sh/uv/) or pip."
    told = [textwrap.shorten(line.rstrip(" ."), 200, placeholder=" …") for line in _TOLD.findall(output)]
    told = told or output.strip().splitlines()[-1:]
    return f"{': '.join(told[:3]) or 'the installer gave no reason'}."
