"""Gradient-boosted regression trees evaluated with numpy alone."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .experts import Array


@dataclass(frozen=True, slots=True)
class Trees:
    """A sum of complete binary trees: node `i` has the children `2i + 1` and `2i + 2`.

    A row goes right where its feature is above the threshold; a branch that ends early has infinite
    thresholds.
    """

    feature: NDArray[np.int16]
    """(trees, 2**depth - 1), as are the thresholds."""
    threshold: NDArray[np.float32]
    leaf: NDArray[np.float32]
    """(trees, 2**depth)."""

    @classmethod
    def load(cls, arrays: Mapping[str, NDArray[np.generic]], name: str) -> "Trees":
        """Read the trees stored under `name`."""
        return cls(
            np.asarray(arrays[f"{name}_feature"], dtype=np.int16),
            np.asarray(arrays[f"{name}_threshold"], dtype=np.float32),
            np.asarray(arrays[f"{name}_leaf"], dtype=np.float32),
        )

    def predict(self, rows: NDArray[np.float32]) -> Array:
        """Sum the leaves that each of the (n, features) rows reaches; no NaN."""
        count, width = rows.shape
        inner = self.feature.shape[1]
        tree = np.arange(len(self.feature)) * inner
        start = np.arange(count)[:, None] * width
        flat, feature, threshold = rows.ravel(), self.feature.ravel().astype(np.intp), self.threshold.ravel()
        node = np.zeros((count, len(self.feature)), dtype=np.intp)
        while node[0, 0] < inner:
            here = node + tree
            node = 2 * node + 1 + (flat[start + feature[here]] > threshold[here])
        leaf = node - inner + np.arange(len(self.leaf)) * self.leaf.shape[1]
        return np.asarray(self.leaf.ravel()[leaf].sum(axis=1, dtype=np.float64))
