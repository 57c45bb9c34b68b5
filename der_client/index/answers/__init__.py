"""Results from an index: frozen rows. Energy in Wh, power in W, times in UTC, money in the smallest unit of its token.

A token is the id of its contract, and ``None`` for STX, whose smallest unit is the µSTX.
"""

from der_client.index.answers.chain import EventRow, Tip, TransactionRow
from der_client.index.answers.overview import Attention, AttentionKind, Overview
from der_client.index.answers.plants import Held, Plant, PlantDetail
from der_client.index.answers.production import DayBookRow, DayEnergy, MonthEnergy, SlotEnergy
from der_client.index.answers.system import Credit, LedgerRow, RoleRow, System
from der_client.index.answers.trade import Certificate, OfferRow, PaymentRow, Statement, StatementLine, StatementTotal

__all__ = [
    "Attention",
    "AttentionKind",
    "Certificate",
    "Credit",
    "DayBookRow",
    "DayEnergy",
    "EventRow",
    "Held",
    "LedgerRow",
    "MonthEnergy",
    "OfferRow",
    "Overview",
    "PaymentRow",
    "Plant",
    "PlantDetail",
    "RoleRow",
    "SlotEnergy",
    "Statement",
    "StatementLine",
    "StatementTotal",
    "System",
    "Tip",
    "TransactionRow",
]
