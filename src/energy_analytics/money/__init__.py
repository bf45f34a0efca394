"""What energy costs: tariffs as data, bills exact to the cent, carbon, and what moving appliances saves."""

from .bill import Bill, Line, MonthBill, bill, plain
from .carbon import (
    Carbon,
    CarbonError,
    Emissions,
    carbon_kg,
    choose_carbon,
    default_carbon,
    emissions,
    emissions_of,
    flat_carbon,
    read_carbon,
)
from .comparison import Compared, check_currencies, compare
from .costs import Cost, Costs, bill_with_costs, costs, mean_price, slot_prices
from .deferrable import Deferrable, deferrable, typical
from .load import Load, forget, measure, within
from .outlook import CostAhead, ExpectedBill, costs_ahead, expected_bill
from .shifting import Shifting, shift
from .tariff_files import TariffFileError, choose_tariff, parse_tariff, read_tariff
from .terms import Tariff, flat_tariff, terms_in_words

__all__ = [
    "Bill",
    "Carbon",
    "CarbonError",
    "Compared",
    "Cost",
    "CostAhead",
    "Costs",
    "Deferrable",
    "Emissions",
    "ExpectedBill",
    "Line",
    "Load",
    "MonthBill",
    "Shifting",
    "Tariff",
    "TariffFileError",
    "bill",
    "bill_with_costs",
    "carbon_kg",
    "check_currencies",
    "choose_carbon",
    "choose_tariff",
    "compare",
    "costs",
    "costs_ahead",
    "default_carbon",
    "deferrable",
    "emissions",
    "emissions_of",
    "expected_bill",
    "flat_carbon",
    "flat_tariff",
    "forget",
    "mean_price",
    "measure",
    "parse_tariff",
    "plain",
    "read_carbon",
    "read_tariff",
    "shift",
    "slot_prices",
    "terms_in_words",
    "typical",
    "within",
]
