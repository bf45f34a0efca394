"""Prophet with the spec's settings, on complete days only, its sampled band seeded."""

import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from types import ModuleType
from typing import TYPE_CHECKING, Final

import numpy as np

from ..schema import INTERVAL_LEVEL
from .series import History, Prediction

if TYPE_CHECKING:
    from prophet import Prophet

_SEED: Final = 20260220
_NEVER_USED: Final = ("matplotlib", "plotly")
_LOADING: Final = threading.Lock()


class ProphetError(Exception):
    """Prophet is not installed or could not be fitted; the message carries its own words."""


def prophet(history: History, *, horizon_days: int) -> Prediction:
    """Predict with Prophet as the spec sets it up. Raises ProphetError when it cannot."""
    import pandas as pd

    days = pd.date_range(history.first_day, periods=len(history.daily_kwh), freq="D")
    observed = pd.DataFrame({"ds": days, "y": history.daily_kwh}).dropna()
    ahead = pd.date_range(days[-1] + timedelta(days=1), periods=horizon_days, freq="D")
    try:
        model = load()(
            daily_seasonality=False,
            weekly_seasonality=True,
            yearly_seasonality=False,
            changepoint_prior_scale=0.05,
            interval_width=INTERVAL_LEVEL,
        )
        with _quiet(), _seeded():
            model.fit(observed)
            predicted = model.predict(pd.DataFrame({"ds": ahead}))
    except (ImportError, RuntimeError, ValueError, OSError) as error:
        raise ProphetError(f"Prophet gave up: {error}") from error
    mean, lower, upper = (
        np.maximum(predicted[column].to_numpy(dtype=float), 0.0) for column in ("yhat", "yhat_lower", "yhat_upper")
    )
    return Prediction(mean=mean, lower=np.minimum(lower, mean), upper=np.maximum(upper, mean))


def load() -> "type[Prophet]":
    """Import Prophet without its plotting, which is never used and takes longer to load than all the rest."""
    with _LOADING:
        logging.getLogger("prophet.plot").disabled = True
        hidden: dict[str, ModuleType] = {name: sys.modules[name] for name in _NEVER_USED if name in sys.modules}
        sys.modules.update(dict.fromkeys(_NEVER_USED))  # type: ignore[arg-type]  # None makes an import fail at once
        try:
            from prophet import Prophet
        finally:
            for name in _NEVER_USED:
                del sys.modules[name]
            sys.modules.update(hidden)
    return Prophet


def load_meanwhile() -> None:
    """Begin to import Prophet in the background, while the engine works and leaves Python alone."""

    def attempt() -> None:
        with suppress(ImportError):  # told when Prophet is used
            load()

    threading.Thread(target=attempt, daemon=True).start()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep cmdstanpy from logging each fit, and Prophet's use of old pandas from being told to our users."""
    logger = logging.getLogger("cmdstanpy")
    disabled, logger.disabled = logger.disabled, True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    finally:
        logger.disabled = disabled


@contextmanager
def _seeded() -> Iterator[None]:
    """Seed numpy's global generator, which Prophet samples its band from, and put it back afterwards."""
    state = np.random.get_state()
    np.random.seed(_SEED)
    try:
        yield
    finally:
        np.random.set_state(state)
