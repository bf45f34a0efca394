"""How a command fails: in one sentence, with exit code 1."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer


@contextmanager
def told_in_a_sentence() -> Iterator[None]:
    """Turn what a user can run into, and mend, into one sentence and exit code 1."""
    import duckdb

    from ..calendar import UnknownHolidaysError
    from ..forecasting import ForecastError, UnknownModelError
    from ..intake import UnusableUploadError
    from ..lake import LakeError
    from ..money import CarbonError
    from ..query import QueryError
    from ..settings import SettingsError
    from ..tariff import TariffError
    from ..weather import WeatherError

    try:
        yield
    except (
        CarbonError,
        ForecastError,
        LakeError,
        QueryError,
        SettingsError,
        TariffError,
        UnknownHolidaysError,
        UnknownModelError,
        UnusableUploadError,
        WeatherError,
    ) as error:
        fail(str(error))
    except duckdb.OutOfMemoryException as error:
        fail(
            "The memory that the engine may use was not enough: raise memory_limit_mb in energy.toml or "
            f"ENERGY_MEMORY_LIMIT_MB. It said: {_line(error)}"
        )
    except duckdb.IOException as error:
        fail(f"A file could not be read or written: {_line(error)}")
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        fail(f"{error.strerror or error}{where}.")
    except Exception as error:  # noqa: BLE001 - the entry point; what is no one's to mend is raised again
        fail(_of_aws(error))


def fail(message: str, *, code: int = 1) -> NoReturn:
    """Say on standard error what is wrong, and end."""
    from .. import terminal

    terminal.complain(message)
    raise typer.Exit(code)


def ask(question: str, *, yes: bool, otherwise: str) -> None:
    """Go on only if the person says so; where nobody can be asked, fail with `otherwise`."""
    if yes:
        return
    if not sys.stdin.isatty():
        fail(otherwise)
    typer.confirm(question, abort=True)


def _of_aws(error: Exception) -> str:
    """Return the sentence for an error of the deployment or of the SDK; any other is our own fault, and raised."""
    if "boto3" not in sys.modules and "energy_analytics.aws" not in sys.modules:
        raise error
    from ..aws.deployment import DeploymentError
    from ..aws.errors import in_a_sentence
    from ..aws.package import PackageError
    from ..aws.sources import MissingSourceError

    if isinstance(error, DeploymentError | PackageError | MissingSourceError):
        return str(error)
    sentence = in_a_sentence(error)
    if sentence is None:
        raise error
    return sentence


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
