"""Gradient-boosted regression trees evaluated with numpy alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from energy_analytics.forecasting.experts import Array


@dataclass(frozen=True, slots=True)
class Trees:
    """A sum of trees in flat arrays: a node that is its own child is a leaf.

    A row goes left at a node when its feature is at most the threshold; `missing_left` says where NaN goes.
    """

    feature: NDArray[np.int16]
    threshold: NDArray[np.float32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    missing_left: NDArray[np.bool_]
    value: NDArray[np.float32]
    roots: NDArray[np.int32]
    depth: int

    def predict(self, rows: Array) -> Array:
        """Sum the leaves that each of the (n, features) rows reaches."""
        values = rows.astype(np.float32)
        missing = np.isnan(values)
        row = np.arange(len(rows))[:, None]
        node = np.repeat(self.roots[None], len(rows), axis=0)
        for _ in range(self.depth):
            feature = self.feature[node]
            go_left = np.where(
                missing[row, feature], self.missing_left[node], values[row, feature] <= self.threshold[node]
            )
            node = np.where(go_left, self.left[node], self.right[node])
        return np.asarray(self.value[node].sum(axis=1, dtype=np.float64))
