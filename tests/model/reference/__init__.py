"""The five contracts as plain Python, written from the rules (roles, units, states, who may do what), not from Clarity.

The sums that the contracts keep (totals, escrow, the day book) are computed here from the single items each time, so
that a mistake in the contracts' bookkeeping shows.
"""

from tests.model.reference.market import DayBook, FillTerms, Offer
from tests.model.reference.refusal import Refused
from tests.model.reference.settlement import Payment, Shares
from tests.model.reference.system import System

__all__ = ["DayBook", "FillTerms", "Offer", "Payment", "Refused", "Shares", "System"]
