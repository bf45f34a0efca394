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
        """Sum the leaves that each of the (n, features) rows reaches; no NaN.

        All rows go down all trees at once, a level at a time; positions are those in the flattened arrays.
        """
        count = len(rows)
        trees, inner = self.feature.shape
        columns = np.ascontiguousarray(rows.T)
        values, threshold = columns.ravel(), self.threshold.ravel()
        column = self.feature.ravel() * np.intp(count)
        root = np.arange(trees)[:, None] * inner
        node = 1 + (columns[self.feature[:, 0]] > self.threshold[:, :1])
        while node[0, 0] < inner:
            here = node + root
            place = column.take(here, mode="clip")
            place += np.arange(count)
            right = values.take(place, mode="clip") > threshold.take(here, mode="clip")
            node *= 2
            node += 1
            node += right
        node += np.arange(trees)[:, None] * self.leaf.shape[1] - inner
        return np.asarray(self.leaf.ravel().take(node, mode="clip").sum(axis=0, dtype=np.float64))
