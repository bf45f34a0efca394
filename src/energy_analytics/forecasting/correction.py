"""The pre-trained part: what a combination of experts tends to get wrong, learnt on other meters.

`correction.npz` is made by `benchmarks/train_forecast.py`; `correction.md` beside it is its card.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .experts import Array
from .features import NAMES as FEATURES
from .trees import Trees

ARTEFACT: Final = Path(__file__).with_name("correction.npz")
NAMES: Final = (*FEATURES, "own_regression", "own_regression_score")
UNKNOWN: Final = 99.0
"""Stands for a feature that is not known: above any threshold."""


@dataclass(frozen=True, slots=True)
class Correction:
    """Trees for the median of the error of the combination, and for its 10 % and 90 % quantiles."""

    median: Trees
    lower: Trees
    upper: Trees


@cache
def load_correction(path: Path = ARTEFACT) -> Correction:
    """Read the artefact."""
    with np.load(path, allow_pickle=False) as arrays:
        return Correction(*(Trees.load(arrays, name) for name in ("median", "lower", "upper")))


def tree_rows(features: Array, own: Array, own_score: Array) -> NDArray[np.float32]:
    """Join the columns of `NAMES`: (..., features), and two of one value per row."""
    rows = np.concatenate([features, own[..., None], own_score[..., None]], axis=-1)
    return np.where(np.isnan(rows), UNKNOWN, rows).astype(np.float32).reshape(-1, len(NAMES))
