"""Makes post-conditions from observed movements."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from der_client.stacks.rpc.responses import FungibleTokenEvent, NonFungibleTokenEvent, StxEvent
from der_client.stacks.transactions import (
    ORIGIN,
    FtPostCondition,
    FungibleCode,
    NftPostCondition,
    NonFungibleCode,
    StxPostCondition,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from der_client.stacks.transactions import PostCondition
    from der_client.stacks.transactions.post_conditions import Principal

AssetEvent = StxEvent | FungibleTokenEvent | NonFungibleTokenEvent
"""An asset that moved, was minted or was burned."""


def exact_conditions(moved: Iterable[AssetEvent], origin: str) -> tuple[PostCondition, ...]:
    """Return the post-conditions that allow exactly this: of each asset, each principal sends as much as it did.

    Minted assets leave no account, so they need none; burned assets count as sent.

    Args:
        moved: What moved, in order.
        origin: The address of the account that signs.
    """

    def principal(sender: str) -> Principal:
        return ORIGIN if sender == origin else sender

    ustx: Counter[str] = Counter()
    tokens: Counter[tuple[str, str]] = Counter()
    items: dict[tuple[str, str, bytes], NftPostCondition] = {}
    for event in moved:
        if not event.sender:
            continue
        match event:
            case StxEvent():
                ustx[event.sender] += event.amount_ustx
            case FungibleTokenEvent():
                tokens[event.sender, event.asset_id] += event.amount
            case NonFungibleTokenEvent():
                items[event.sender, event.asset_id, event.raw_value] = NftPostCondition(
                    principal(event.sender), event.asset_id, event.value, NonFungibleCode.SENT
                )
    return (
        *(StxPostCondition(principal(sender), FungibleCode.EQUAL, amount) for sender, amount in ustx.items()),
        *(
            FtPostCondition(principal(sender), asset, FungibleCode.EQUAL, amount)
            for (sender, asset), amount in tokens.items()
        ),
        *items.values(),
    )
