"""What a kilowatt-hour costs: one flat price, the site's own or a stated default."""

import math
import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources

from energy_analytics import words


class TariffError(ValueError):
    """Price and currency do not go together; the message says what to set."""


@dataclass(frozen=True, slots=True)
class FlatPrice:
    """The same price at every hour, in `currency` per kWh, all taxes included."""

    name: str
    price_per_kwh: float
    currency: str
    valid_from: date | None
    """First day of the price; None for the site's own, which is taken to hold throughout."""
    source: str
    largest_site_kwh_per_year: float = math.inf
    """Above this use the price would mislead and no money is told."""

    @property
    def terms(self) -> str:
        """The price with its name, as it stands beside every amount."""
        return f"{words.unit_price(self.price_per_kwh, self.currency)} per kWh ({self.name})"


def choose_price(price_per_kwh: float | None, currency: str | None) -> FlatPrice:
    """Return the site's own price, or the default when none is set.

    Raises TariffError for a price without a currency, and for a currency in which there is no price.
    """
    if price_per_kwh is None:
        default = default_price()
        if currency not in (None, default.currency):
            raise TariffError(
                f"currency is {currency} but price_per_kwh is not set, and the default price is in "
                f"{default.currency}. Set price_per_kwh in {currency}, or leave out currency."
            )
        return default
    if not currency:
        raise TariffError(f"price_per_kwh is {price_per_kwh:g} but currency is not set. Set one, such as EUR.")
    return FlatPrice("your own price", price_per_kwh, currency, None, "your settings")


@cache
def default_price() -> FlatPrice:
    """Return the price that is used, and named, while a site has none of its own."""
    text = resources.files("energy_analytics").joinpath("catalogue", "tariffs.toml").read_text("utf-8")
    return FlatPrice(**tomllib.loads(text)["default"])
