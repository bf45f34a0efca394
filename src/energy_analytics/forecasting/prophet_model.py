"""Prophet with the specification's settings."""

import contextlib
import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Final

import numpy as np

from .history import History, Prediction

if TYPE_CHECKING:
    from prophet import Prophet

SEED: Final = 20260220
"""Seed of the sampled band."""
_PLOTTING: Final = ("matplotlib", "plotly")
_LOADING: Final = threading.Lock()


def load_prophet() -> "type[Prophet]":
    """Import Prophet without its plotting, which is never used and takes longer to load than all the rest."""
    with _LOADING:
        logging.getLogger("prophet.plot").setLevel(logging.CRITICAL)  # says that plotting is missing
        hidden: dict[str, ModuleType] = {name: sys.modules[name] for name in _PLOTTING if name in sys.modules}
        sys.modules.update(dict.fromkeys(_PLOTTING))  # type: ignore[arg-type]  # None makes an import fail at once
        try:
            from prophet import Prophet
        finally:
            for name in _PLOTTING:
                del sys.modules[name]
            sys.modules.update(hidden)
        for name in ("prophet", "cmdstanpy"):  # cmdstanpy sets a level of its own when it is first used
            logging.getLogger(name).disabled = True
    return Prophet


def load_meanwhile() -> None:
    """Begin to import Prophet in the background, while the engine works and leaves Python alone."""

    def attempt() -> None:
        with contextlib.suppress(ImportError):  # told when Prophet is used
            load_prophet()

    threading.Thread(target=attempt, daemon=True).start()


@contextlib.contextmanager
def _apart() -> Iterator[None]:
    """Seed the global generator that Prophet samples from and give it back as it was; drop its deprecation
    warnings.

    They are about how the package calls pandas: a user can do nothing about them.
    """
    before = np.random.get_state()
    np.random.seed(SEED)
    try:
        with warnings.catch_warnings():
            for category in (DeprecationWarning, FutureWarning):
                warnings.simplefilter("ignore", category)
            yield
    finally:
        np.random.set_state(before)


def fit_prophet(history: History, *, horizon_days: int, level: float) -> Prediction:
    """Fit Prophet as specified: weekly season only, changepoint prior 0.05, its own sampled band, cut at
    zero."""
    import pandas as pd

    days = pd.date_range(history.first_day, periods=len(history.daily_kwh) + horizon_days, freq="D")
    frame = pd.DataFrame({"ds": days[: len(history.daily_kwh)], "y": history.daily_kwh}).dropna()
    with _apart():
        model = load_prophet()(
            daily_seasonality=False,
            weekly_seasonality=True,
            yearly_seasonality=False,
            changepoint_prior_scale=0.05,
            interval_width=level,
        )
        model.fit(frame)
        made = model.predict(pd.DataFrame({"ds": days[len(history.daily_kwh) :]}))
    mean, lower, upper = (
        np.maximum(made[column].to_numpy(dtype=np.float64), 0.0) for column in ("yhat", "yhat_lower", "yhat_upper")
    )
    return Prediction("prophet", mean, np.minimum(lower, mean), np.maximum(upper, mean))
