"""Prediction intervals whose width is set by how wide they would have had to be so far (conformal).

After Romano, Patterson and Candes (2019), conformalized quantile regression, with weights that fade with age.
"""

from statistics import NormalDist
from typing import Final

import numpy as np

from .experts import Array

LEARNT_LEVEL: Final = 0.8
"""Level of the pre-trained half-widths; others start from the normal distribution's ratio."""
PRIOR_WEEKS: Final = 8.0
"""Weeks of errors that the width from other meters is worth."""
PRIOR_FACTOR: Final = 1.0
"""What the half-widths need on meters that they were not learnt on, from the left-out figures."""
HALF_LIFE_DAYS: Final = 120.0
_TINY: Final = 1e-12


def widening(half_widths: Array) -> Array:
    """Make (..., H) half-widths at least as wide as those of every earlier day."""
    return np.asarray(np.maximum.accumulate(half_widths, axis=-1))


def level_ratio(level: float) -> float:
    """Half-width at `level` over that at `LEARNT_LEVEL`, for normal errors."""
    normal = NormalDist()
    return normal.inv_cdf(0.5 + level / 2) / normal.inv_cdf(0.5 + LEARNT_LEVEL / 2)


def width_factor(ratios: Array, ages_days: Array, *, level: float) -> float:
    """Find the factor for the half-widths at which a share `level` of past errors would have been inside.

    `ratios` are the errors over the half-width on their side, `ages_days` how long ago their days were.
    With few of them the factor stays near `PRIOR_FACTOR`.
    """
    if ratios.size == 0:
        return PRIOR_FACTOR
    weight = 0.5 ** (ages_days / HALF_LIFE_DAYS)
    order = np.argsort(ratios, kind="stable")
    share = np.cumsum(weight[order])
    wanted = min(level * (1 + 1 / ratios.size), 1.0) * share[-1]
    found = float(np.interp(wanted, share - 0.5 * weight[order], ratios[order]))
    trust = ratios.size / (ratios.size + 7 * PRIOR_WEEKS)
    return float(max(found, 0.05) ** trust * PRIOR_FACTOR ** (1 - trust))


def half_width_ratios(errors: Array, lower_half: Array, upper_half: Array) -> Array:
    """Errors (actual minus forecast) as multiples of the half-width on their side; NaN stays."""
    return np.asarray(np.where(errors < 0, -errors / (lower_half + _TINY), errors / (upper_half + _TINY)))
