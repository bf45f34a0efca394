"""What of the libraries does not go into the layer, and why. Proved by a run with nothing else on the path."""

from fnmatch import fnmatchcase
from typing import Final

LEFT_OUT: Final[dict[str, str]] = {
    "bin/*": "commands for a terminal, which begin with the builder's own path",
    ".lock": "left behind by uv",
    "*.pyi": "for type checkers",
    "*.pxd": "for compiling against a library",
    "*.pyx": "for compiling against a library",
    "*/__pycache__/*": "made by the builder's own interpreter; those of the target's are added when it is at hand",
    "*/tests/*": "the libraries' own tests: 17 MB of pandas alone",
    "*.dist-info/INSTALLER": "differs between uv and pip",
    "*.dist-info/RECORD": "lists the files before pruning",
    "*.dist-info/REQUESTED": "differs between uv and pip",
    "*.dist-info/direct_url.json": "holds a path of the builder",
    "*.dist-info/uv_cache.json": "holds a time of the builder",
    "*.dist-info/WHEEL": "for installers",
    "*.dist-info/sboms/*": "for scanners, which read the pinned requirements",
    "numpy/_core/include/*": "C headers",
    "numpy/_core/lib/*": "a static library for C extensions",
    "numpy/_core/_*_tests.*.so": "compiled for numpy's own tests",
    "numpy/random/lib/*": "a static library for C extensions",
    "numpy/random/_examples/*": "examples",
    "numpy/f2py/*": "compiles Fortran",
    "pandas/_libs/include/*": "C headers",
    "prophet/stan_model/cmdstan-*": "sources and build of Stan, 31 MB: the compiled model stands beside them",
    "prophet/stan_model/prophet": "a second copy of prophet_model.bin",
    "prophet/stan_model/prophet.stan": "the model's source",
    "duckdb/experimental/*": "an imitation of Spark",
    "_duckdb-stubs/*": "for type checkers",
    "adbc_driver_duckdb/*": "another interface to the engine",
    "holidays/locale/*": "names of holidays in other languages; days alone are used",
    "aws_lambda_powertools/event_handler/*": "for functions behind an API",
    "aws_lambda_powertools/utilities/*/*": "validation, batches and so on; only logger and metrics are used",
    "packaging/*": "asked for by matplotlib, which is left out",
    "packaging-*": "asked for by matplotlib, which is left out",
    "tqdm/tqdm.1": "a page of the manual",
    "tqdm/completion.sh": "for a terminal",
}
"""Patterns of paths in the installed folder (`*` matches slashes too) and the reason of each."""

LEFT_OUT_OF_THE_DASHBOARD: Final[dict[str, str]] = {
    "plotly/*": "makes figures in Python; the browser draws, and needs the one script",
    "plotly-*": "only its version and its licence are asked for",
    "_plotly_utils/*": "of plotly's own",
    "etc/*": "plotly in a notebook",
    "share/*": "plotly in a notebook",
    "narwhals/*": "asked for by plotly's figures",
    "narwhals-*": "asked for by plotly's figures",
}
"""What the dashboard's layer does without, beside the rest."""

KEPT: Final[dict[str, str]] = {
    "aws_lambda_powertools/utilities/jmespath_utils/*": "imported by the logger",
    "plotly/package_data/plotly.min.js": "what the browser draws with",
    "plotly-*/METADATA": "tells its version",
    "plotly-*/licenses/LICENSE*": "the script's licence",
}
"""Exceptions from LEFT_OUT."""


def is_needed(path: str, left_out: dict[str, str] = LEFT_OUT) -> bool:
    """Tell whether the file at `path`, relative to the installed folder, goes into the layer."""
    return _matches(path, KEPT) or not _matches(path, left_out)


def _matches(path: str, patterns: dict[str, str]) -> bool:
    return any(fnmatchcase(path, pattern) for pattern in patterns)
