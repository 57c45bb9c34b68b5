"""Chooses a transaction's fee, up to the cap that its owner sets."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, Protocol

from der_client.stacks.checks import check_number
from der_client.stacks.errors import InvalidValueError, NodeResponseError, NotFoundError

if TYPE_CHECKING:
    from der_client.stacks.rpc import Client

_LOG: Final = logging.getLogger(__name__)

MIN_USTX_PER_BYTE: Final = 1
"""The least that a node's mempool accepts (stacks-core, ``MINIMUM_TX_FEE_RATE_PER_BYTE``)."""
_UINT64_MAX: Final = (1 << 64) - 1
_RAISE: Final = 1.25


class Fees(Protocol):
    """A fee policy: pass an object with these methods to an account, or to ``Der.connect``, as its ``fee_policy``."""

    def choose(self, client: Client, payload: bytes, length_bytes: int) -> int:
        """Choose the first fee of a transaction.

        An outbox uses the same fee for half a minute for transactions of the same account, kind and length.

        Args:
            client: The node.
            payload: The encoded payload.
            length_bytes: The length of the whole signed transaction.

        Returns:
            The fee in µSTX.

        Raises:
            InvalidValueError: If no fee is acceptable; the transaction is not sent.
            NodeUnreachableError: If the node did not response.
        """

    def replace(self, fee_ustx: int, length_bytes: int, waited_s: float) -> int | None:
        """Choose the fee of a replacement for a transaction that waits in the mempool.

        Args:
            fee_ustx: Its current fee, in µSTX; nodes accept only a replacement that offers more.
            length_bytes: The length of the whole signed transaction.
            waited_s: How long it has waited, in seconds.

        Returns:
            The higher fee in µSTX; ``None`` to leave it as it is.
        """

    def check(self, fee_ustx: int, length_bytes: int) -> None:
        """Refuse a fee that the caller chose; an outbox also checks those of `choose`.

        Args:
            fee_ustx: The fee in µSTX.
            length_bytes: The length of the whole signed transaction.

        Raises:
            InvalidValueError: If it is not acceptable.
        """


@dataclass(frozen=True, slots=True)
class FeePolicy:
    """The default `Fees`: the node's middle estimate, else its transfer rate; at least 1 µSTX per byte, up to the cap.

    Attributes:
        max_fee_ustx: The most that one transaction may offer, in µSTX. A transaction that would need more is an error:
            with less, it would only wait in vain.
        asks_node: Whether to ask for the node's estimate and rate; otherwise, the floor of 1 µSTX per byte is offered.
    """

    _cap_name: ClassVar[str] = "FeePolicy(max_fee_ustx=…)"
    max_fee_ustx: int = 1_000_000
    asks_node: bool = True

    def __post_init__(self) -> None:
        """Refuse a cap that nothing can pass."""
        check_number(self.max_fee_ustx, 1, _UINT64_MAX, "max_fee_ustx")

    def choose(self, client: Client, payload: bytes, length_bytes: int) -> int:
        """Choose the fee of a transaction.

        Args:
            client: The node.
            payload: The encoded payload.
            length_bytes: The length of the whole signed transaction.

        Returns:
            The fee in µSTX.

        Raises:
            InvalidValueError: If it would be above the cap.
            NodeUnreachableError: If the node did not response.
        """
        floor = MIN_USTX_PER_BYTE * length_bytes
        wanted = max(floor, self._of_node(client, payload, length_bytes)) if self.asks_node else floor
        self.check(wanted, length_bytes)
        return wanted

    def replace(self, fee_ustx: int, length_bytes: int, waited_s: float) -> int | None:  # noqa: ARG002 -- see Fees
        """Choose the fee of a replacement: a quarter more, up to the cap.

        Args:
            fee_ustx: The waiting transaction's fee, in µSTX.
            length_bytes: The length of the whole signed transaction.
            waited_s: How long it has waited, in seconds.

        Returns:
            The higher fee in µSTX; ``None`` if that would be above the cap.
        """
        higher = max(fee_ustx + 1, round(fee_ustx * _RAISE))
        return None if higher > self.max_fee_ustx else higher

    def check(self, fee_ustx: int, length_bytes: int) -> None:
        """Refuse a fee above the cap, or below what any node accepts.

        Args:
            fee_ustx: The fee in µSTX.
            length_bytes: The length of the whole signed transaction.

        Raises:
            InvalidValueError: If it is above the cap or too low.
        """
        check_number(fee_ustx, 0, _UINT64_MAX, "fee_ustx")
        if fee_ustx > self.max_fee_ustx:
            raise InvalidValueError(
                f"the fee would be {fee_ustx} µSTX, above the cap of {self.max_fee_ustx} µSTX; "
                f"raise {self._cap_name} if that is acceptable, or try again when the network is less busy"
            )
        floor = MIN_USTX_PER_BYTE * length_bytes
        if fee_ustx < floor:
            raise InvalidValueError(
                f"the fee of {fee_ustx} µSTX is below {floor} µSTX (1 µSTX per byte), which nodes refuse; offer more"
            )

    def _of_node(self, client: Client, payload: bytes, length_bytes: int) -> int:
        try:
            estimate = client.estimate_fee(payload, length_bytes)
        except (NodeResponseError, NotFoundError) as error:
            _LOG.info("no fee estimate: %s", error)
            estimate = None
        if estimate is not None:
            return estimate.middle_ustx
        try:
            return client.transfer_fee_rate() * length_bytes
        except (NodeResponseError, NotFoundError) as error:
            _LOG.info("no transfer fee rate: %s", error)
            return 0
