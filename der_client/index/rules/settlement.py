"""What the events of ``settlement`` change: payments, claims, credits, the ledgers and the fee."""

from __future__ import annotations

from der_client.contracts import settlement
from der_client.contracts.settlement import PaymentState
from der_client.index.state import STX, SYSTEM, State, change, fields_of, on, require
from der_client.stacks.contract.annotations import time_of


@on(settlement.ContractDeployed)
def _settlement_deployed(state: State, event: settlement.ContractDeployed) -> None:
    schedule = {"fee_bps": event.fee_bps, "next_fee_bps": event.fee_bps, "next_from": time_of(0)}
    change(state, "system", SYSTEM, schedule)


@on(settlement.FeeBpsSet)
def _fee_bps_set(state: State, event: settlement.FeeBpsSet) -> None:
    change(state, "system", SYSTEM, vars(event))


@on(settlement.PaymentFunded)
def _payment_funded(state: State, event: settlement.PaymentFunded) -> None:
    open_shares = dict.fromkeys(("delivered_wh", "payout", "fee", "refund", "claimed_wh"), 0)
    state.put(
        "payment", (event.payment_id,), fields_of(event, "payment_id", "actor") | open_shares | {"buyer": event.actor}
    )
    _move(state, event.token, escrow=event.cost)


@on(settlement.PaymentSettled, settlement.PaymentRefunded, settlement.PaymentReleased, reads=("payment",))
def _payment_closed(state: State, event: settlement.PaymentClosed) -> None:
    row = require(state, "payment", (event.payment_id,))
    if row["state"] != PaymentState.LOCKED:
        raise LookupError(f"payment {event.payment_id} is closed twice")
    change(state, "payment", (event.payment_id,), vars(event))
    owed = event.payout + event.refund if event.token is not None else 0
    _move(state, event.token, escrow=-event.cost, fees=event.fee, credits_=owed)
    if event.token is not None:
        _credit(state, event.payee, event.token, event.payout)
        _credit(state, event.buyer, event.token, event.refund)


@on(settlement.PaymentAssigned, reads=("payment",))
def _payment_assigned(state: State, event: settlement.PaymentAssigned) -> None:
    change(state, "payment", (event.payment_id,), {"buyer": event.to})


@on(settlement.EnergyClaimed, reads=("payment",))
def _energy_claimed(state: State, event: settlement.EnergyClaimed) -> None:
    change(state, "payment", (event.payment_id,), {"claimed_wh": event.claimed_wh})
    claim = fields_of(event, "claim_id", "actor", "claimed_wh") | {"claimant": event.actor}
    state.put("claim", (event.claim_id,), claim)


@on(settlement.CreditWithdrawn)
def _credit_withdrawn(state: State, event: settlement.CreditWithdrawn) -> None:
    _credit(state, event.actor, event.token, -event.amount)
    _move(state, event.token, credits_=-event.amount)


@on(settlement.FeesWithdrawn)
def _fees_withdrawn(state: State, event: settlement.FeesWithdrawn) -> None:
    _move(state, event.token, fees=-event.amount)


@on(settlement.SurplusWithdrawn)
def _surplus_withdrawn(_state: State, _event: settlement.SurplusWithdrawn) -> None:
    """Change nothing: the surplus is not stored; it is the contract's balance above its ledger."""


def _credit(state: State, party: str, token: str, amount: int) -> None:
    """Add to what a party can withdraw; a row of 0 is removed."""
    key = (party, token)
    total = (state.get("credit", key) or {"amount": 0})["amount"] + amount
    if total:
        state.put("credit", key, {"amount": total})
    else:
        state.drop("credit", key)


def _move(state: State, token: str | None, *, escrow: int = 0, fees: int = 0, credits_: int = 0) -> None:
    """Change what the contract owes in STX or a token."""
    key = (token or STX,)
    row = state.get("ledger", key) or {"escrow": 0, "fees": 0, "credits": 0}
    changed = {"escrow": row["escrow"] + escrow, "fees": row["fees"] + fees, "credits": row["credits"] + credits_}
    state.put("ledger", key, changed)
