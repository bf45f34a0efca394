"""What a tariff says: prices, hours, tiers, charges and taxes, each for the days on which it holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, Literal

from energy_analytics import words
from energy_analytics.tariff import FlatPrice

ALL_MONTHS: Final = frozenset(range(1, 13))
HOLIDAY: Final = 7
"""The kind of day that a public holiday is; 0 to 6 are Monday to Sunday."""
ALL_DAYS: Final = frozenset(range(8))
DAY_MINUTES: Final = 1440

Charged = Literal["energy", "fixed", "demand", "export"]
"""Parts of a bill on which a tax may lie."""


@dataclass(frozen=True, slots=True)
class Window:
    """Hours of some days of some months, by the wall clock.

    `spans` are minutes of the day, from inclusive, to exclusive, never over midnight: hours given as 22:00-06:00
    are those before and those after midnight of the days named.
    """

    months: frozenset[int] = ALL_MONTHS
    days: frozenset[int] = ALL_DAYS
    spans: tuple[tuple[int, int], ...] = ((0, DAY_MINUTES),)

    @property
    def names_holidays(self) -> bool:
        """Whether public holidays are set apart from the weekday on which they fall."""
        return HOLIDAY in self.days and self.days != ALL_DAYS


@dataclass(frozen=True, slots=True)
class Period:
    """Hours with one price. Without `windows` it holds in all hours that no other period of the version names."""

    name: str
    price_per_kwh: Decimal
    windows: tuple[Window, ...] = ()


@dataclass(frozen=True, slots=True)
class Tier:
    """A price of the month's energy up to a threshold, above that of the tier before; None has no end."""

    up_to_kwh: Decimal | None
    price_per_kwh: Decimal


@dataclass(frozen=True, slots=True)
class Demand:
    """A charge per kW on the highest mean power of the site over an interval, in a month."""

    name: str
    price_per_kw: Decimal
    interval_minutes: int
    window: Window = Window()


@dataclass(frozen=True, slots=True)
class Tax:
    """A percentage on parts of the bill."""

    name: str
    percent: Decimal
    on: frozenset[Charged]


@dataclass(frozen=True, slots=True)
class Version:
    """The terms from `valid_from` (inclusive, None: always) to `valid_to` (exclusive, None: until further notice)."""

    valid_from: date | None
    valid_to: date | None
    periods: tuple[Period, ...]
    """Empty where the tiers alone set the price of energy."""
    tiers_by_month: Mapping[int, tuple[Tier, ...]]
    """Ascending, the last without end. Beside periods, what a tier costs comes on top of their price."""
    fixed_per_day: Decimal = Decimal(0)
    fixed_per_month: Decimal = Decimal(0)
    demands: tuple[Demand, ...] = ()
    taxes: tuple[Tax, ...] = ()
    export_price_per_kwh: Decimal | None = None

    @property
    def windows(self) -> tuple[Window, ...]:
        """All windows named anywhere in the version."""
        return (
            *(window for period in self.periods for window in period.windows),
            *(demand.window for demand in self.demands),
        )

    @property
    def holidays_apart(self) -> bool:
        """Whether public holidays are billed otherwise than the weekday on which they fall."""
        return any(window.names_holidays for window in self.windows)

    def kind_of(self, day: date, holidays: frozenset[date]) -> int:
        """Return the kind of day that `day` is under these terms."""
        return HOLIDAY if self.holidays_apart and day in holidays else day.weekday()

    def tax_percent(self, charged: Charged) -> Decimal:
        """Return all taxes on one part of the bill."""
        return sum((tax.percent for tax in self.taxes if charged in tax.on), Decimal(0))


@dataclass(frozen=True, slots=True)
class Tariff:
    """A tariff with its versions in order, each beginning where the one before ends."""

    name: str
    currency: str
    source: str
    versions: tuple[Version, ...]
    decimals: int = 2
    """Of the smallest coin: 2 for cents."""
    largest_site_kwh_per_year: float | None = None
    """Above this use the tariff would mislead; None for no limit."""

    def version_on(self, day: date) -> int:
        """Return the index of the version of `day`; before the first it is the first, after the last the last."""
        for index, version in enumerate(self.versions):
            if version.valid_to is None or day < version.valid_to:
                return index
        return len(self.versions) - 1

    @property
    def zero(self) -> Decimal:
        """No money, in the currency's decimals."""
        return Decimal(0).scaleb(-self.decimals)

    @property
    def by_the_hour(self) -> bool:
        """Whether the price of energy depends on the hour in any version."""
        return any(len({period.price_per_kwh for period in version.periods}) > 1 for version in self.versions)


def terms_in_words(tariff: Tariff, day: date, *, first: date) -> str:
    """Return the price of a kWh on a day with the tariff's name, as it stands beside an amount.

    Prices stand in a tariff without taxes; that is said, as is since when they hold if the readings, which begin on
    `first`, reach back to others.
    """
    index = tariff.version_on(day)
    version = tariff.versions[index]
    prices = [period.price_per_kwh for period in version.periods]
    prices = prices or [tier.price_per_kwh for tier in version.tiers_by_month[day.month]]
    low, high = (words.unit_price(float(price), tariff.currency) for price in (min(prices), max(prices)))
    span = low if low == high else f"{low.removesuffix(tariff.currency)}to {high}"
    taxed = " before taxes" if version.tax_percent("energy") else ""
    since = ""
    if version.valid_from and index != tariff.version_on(first):
        since = f" since {words.plain_day(version.valid_from)}"
    return f"{span} per kWh{taxed}{since} ({tariff.name})"


def flat_tariff(price: FlatPrice) -> Tariff:
    """Return the one price at every hour as a tariff, all taxes included."""
    energy = Period("all hours", Decimal(repr(price.price_per_kwh)))
    limit = price.largest_site_kwh_per_year
    return Tariff(
        name=price.name,
        currency=price.currency,
        source=price.source,
        versions=(Version(price.valid_from, None, (energy,), {}),),
        largest_site_kwh_per_year=None if limit == float("inf") else limit,
    )
