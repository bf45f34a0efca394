"""Fuzz the intake for a while: `PYTHONPATH=src:tests python -m fuzz --seconds 1800`.

A case that breaks a promise is shrunk, written to `tests/fuzz/corpus/`, and ends the run; `tests/test_fuzz.py`
replays that folder. Of a crash of the process itself the input is left in `--last`.
"""

import argparse
import collections
import hashlib
import random
import resource
import sys
import tempfile
import time
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from .inputs import names_of_files, parquet_columns, uploads
from .invariants import How, examine, examine_delivery, opened, parquet_of

CORPUS = Path(__file__).parent / "corpus"
_BATCH = 400

hows = st.builds(
    How,
    timezone=st.sampled_from([None, None, "Europe/Paris", "Asia/Kathmandu"]),
    date_order=st.sampled_from([None, None, "DMY", "MDY"]),
    decimal=st.sampled_from([None, None, None, ",", "."]),
)


def main() -> None:
    """Run batches until the time is over, and tell how many inputs there were and how they ended."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=1800)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--last", type=Path, default=Path(tempfile.gettempdir()) / "fuzz-last-input")
    given_options = parser.parse_args()
    ended: collections.Counter[str] = collections.Counter()
    began, batch = time.monotonic(), 0
    try:
        while time.monotonic() - began < given_options.seconds:
            _batch(given_options.seed + batch, given_options.last, ended)
            batch += 1
    finally:
        took = time.monotonic() - began
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        sys.stdout.write(
            f"seed {given_options.seed}: {sum(ended.values()):,} inputs in {took / 60:.1f} minutes, {dict(ended)}, "
            f"peak memory {peak_mb:,} MB\n"
        )
    given_options.last.unlink(missing_ok=True)


def _batch(number: int, last: Path, ended: collections.Counter[str]) -> None:
    with opened() as (engine, folder):

        @seed(number)
        @settings(
            max_examples=_BATCH, deadline=None, database=None, derandomize=False,
            phases=(Phase.generate, Phase.shrink), suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(data=st.data())
        def one(data: st.DataObject) -> None:
            kind = data.draw(st.sampled_from(["reading"] * 8 + ["delivery", "parquet"]))
            content = data.draw(uploads()) if kind != "parquet" else _parquet(data)
            last.write_bytes(content)
            try:
                if kind == "reading":
                    how = data.draw(hows)
                    ended[examine(engine, folder, content, how)] += 1
                else:
                    name = data.draw(names_of_files())
                    ended[examine_delivery(folder, content, name=name, site="")] += 1
            except Exception as error:
                told = f"{kind} {how if kind == 'reading' else name!r}: {type(error).__name__}: {error}"
                _keep(kind, content, told)
                raise

        def _parquet(data: st.DataObject) -> bytes:
            content = parquet_of(engine, folder, data.draw(parquet_columns()))
            for _ in range(data.draw(st.integers(0, 4))):
                at = data.draw(st.integers(4, len(content) - 1))
                content = content[:at] + data.draw(st.binary(max_size=4)) + content[at + data.draw(st.integers(0, 4)) :]
            return content

        one()


def _keep(kind: str, content: bytes, told: str) -> None:
    """Write a case down; each that is smaller takes the place of the one before it."""
    CORPUS.mkdir(exist_ok=True)
    (CORPUS / f"found-{kind}").write_bytes(content)
    sys.stderr.write(f"{hashlib.sha256(content).hexdigest()[:8]} {len(content)} bytes {told[:300]}\n")


if __name__ == "__main__":
    main()
