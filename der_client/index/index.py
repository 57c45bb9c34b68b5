"""The index for programs: typed queries, each answered from one state of the chain."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Literal, Self, Unpack, overload

from der_client.index import activity, certificates, plants, production, statements, trade
from der_client.index.answers import (
    Attention,
    Certificate,
    Credit,
    DayBookRow,
    DayEnergy,
    EventRow,
    LedgerRow,
    MonthEnergy,
    OfferRow,
    Overview,
    PaymentRow,
    Plant,
    PlantDetail,
    RoleRow,
    SlotEnergy,
    Statement,
    System,
    Tip,
    TransactionRow,
)
from der_client.index.attention import attention
from der_client.index.available import available_wh
from der_client.index.database import Database, read_about
from der_client.index.errors import NotIndexedError
from der_client.index.overview import overview
from der_client.index.reading import Paging, Part, Reader
from der_client.stacks.errors import InvalidValueError, whole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy.engine import Connection

    from der_client.contracts.settlement import PaymentState
    from der_client.index.table import Table
    from der_client.stacks.contract.events import EventRecord

DEFAULT_NOTICE = timedelta(hours=24)
"""How long before it expires an open offer needs attention."""


class Index:
    """A read-only view of an index. Each query sees one state, whatever is written meanwhile.

    A query with ``as_of`` returns the state after a past block: ``as_of`` is that block's height.

    Args:
        place: A path (SQLite) or a URL (``postgresql://user:password@host/database``).

    Raises:
        IndexMissingError: If it does not exist.
        IndexVersionError: If another version of this library made it.
        IndexDatabaseError: If it cannot be opened.
        MissingExtraError: If a Postgres database is named without the extra ``postgres``.
    """

    def __init__(self, place: str | Path) -> None:
        self._database = Database(place, writable=False)

    @property
    def place(self) -> str:
        """Where the index is, without a password."""
        return self._database.name

    def close(self) -> None:
        """Close the connections."""
        self._database.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    @whole
    def __repr__(self) -> str:
        """Return the place, without a password."""
        return f"Index({self.place})"

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Open a read-only connection for queries of your own.

        Yields:
            The connection; for as long as the block lasts, it sees one state.

        Raises:
            IndexDatabaseError: If a query fails.
        """
        with self._database.transaction("be read") as connection:
            yield connection

    @contextmanager
    def _reader(self, as_of: int | None = None) -> Iterator[Reader]:
        if as_of is not None and (type(as_of) is not int or as_of < 0):
            raise InvalidValueError(f"as_of must be a block height of 0 or more, got {as_of!r}")
        with self._database.transaction("be read") as connection:
            yield Reader(connection, as_of)

    def tip(self) -> Tip | None:
        """Return how far the index has got, or ``None`` if it has no block yet."""
        with self._reader() as reader:
            return _tip(reader)

    def plants(self, *, owner: str | None = None, region: str | None = None, as_of: int | None = None) -> Table[Plant]:
        """List plants by their ids.

        Args:
            owner: Only plants of this owner.
            region: Only plants of this grid operator's region.
            as_of: A block height.
        """
        with self._reader(as_of) as reader:
            return plants.plants(reader, owner=owner, region=region)

    def plant(self, asset_id: int, *, as_of: int | None = None) -> PlantDetail:
        """Return everything about one plant, with the history of its owners and keys.

        Args:
            asset_id: The plant.
            as_of: A block height.

        Raises:
            NotIndexedError: If there is no such plant.
        """
        with self._reader(as_of) as reader:
            return plants.plant(reader, asset_id)

    @overload
    def production(
        self, asset_id: int | None, from_day: date, to_day: date, by: Literal["slot"], *, as_of: int | None = None
    ) -> Table[SlotEnergy]: ...
    @overload
    def production(
        self,
        asset_id: int | None,
        from_day: date,
        to_day: date,
        by: Literal["day"] = "day",
        *,
        as_of: int | None = None,
    ) -> Table[DayEnergy]: ...
    @overload
    def production(
        self, asset_id: int | None, from_day: date, to_day: date, by: Literal["month"], *, as_of: int | None = None
    ) -> Table[MonthEnergy]: ...
    def production(
        self,
        asset_id: int | None,
        from_day: date,
        to_day: date,
        by: Literal["slot", "day", "month"] = "day",
        *,
        as_of: int | None = None,
    ) -> Table[SlotEnergy] | Table[DayEnergy] | Table[MonthEnergy]:
        """List what plants produced, by plant and time.

        Args:
            asset_id: The plant; all if ``None``.
            from_day: The first day, UTC.
            to_day: The last day, UTC.
            by: ``slot`` returns every slot of the days with something recorded, including missing slots; ``day`` the
                days with something recorded; ``month`` their sums.
            as_of: A block height.

        Raises:
            InvalidValueError: If ``by`` is something else.
        """
        with self._reader(as_of) as reader:
            match by:
                case "slot":
                    return production.slots(reader, asset_id, from_day, to_day)
                case "day":
                    return production.days(reader, asset_id, from_day, to_day)
                case "month":
                    return production.months(reader, asset_id, from_day, to_day)
        raise InvalidValueError(f"by must be slot, day or month, got {by!r}")

    def day_books(
        self, asset_id: int | None, from_day: date, to_day: date, *, as_of: int | None = None
    ) -> Table[DayBookRow]:
        """List how much of each day is open, funded, sold and retired.

        Args:
            asset_id: The plant; all if ``None``.
            from_day: The first day, UTC.
            to_day: The last day, UTC.
            as_of: A block height.
        """
        with self._reader(as_of) as reader:
            return production.day_books(reader, asset_id, from_day, to_day)

    def available(self, asset_id: int, day: date, *, as_of: int | None = None) -> int:
        """Return the energy (Wh) of a day that can still be offered or retired, as ``der.market.get_available`` does.

        Args:
            asset_id: Of which plant.
            day: The day, UTC.
            as_of: A block height.
        """
        with self._reader(as_of) as reader:
            return available_wh(reader, asset_id, day)

    def offers(
        self,
        *,
        open: bool | None = None,  # noqa: A002 - the word that users expect
        seller: str | None = None,
        asset_id: int | None = None,
        taker: str | None = None,
        day_from: date | None = None,
        day_to: date | None = None,
        as_of: int | None = None,
        **part: Unpack[Paging],
    ) -> Table[OfferRow]:
        """List offers by their ids.

        Args:
            open: Only offers that can be taken now, or only the others.
            seller: Only those of a seller.
            asset_id: Only those of a plant.
            taker: Only those that name this taker.
            day_from: Only those of this day or later.
            day_to: Only those of this day or earlier.
            as_of: A block height.
            **part: Which part of the list: ``after``, ``limit`` and ``newest_first``, by the id; see `Paging`.
        """
        with self._reader(as_of) as reader:
            return trade.offers(
                reader,
                is_open=open,
                seller=seller,
                asset_id=asset_id,
                taker=taker,
                day_from=day_from,
                day_to=day_to,
                page=Part(**part),
            )

    def offer(self, offer_id: int, *, as_of: int | None = None) -> OfferRow:
        """Return an offer.

        Args:
            offer_id: The offer.
            as_of: A block height.

        Raises:
            NotIndexedError: If there is no such offer.
        """
        with self._reader(as_of) as reader:
            found = trade.offers(reader, offer_id=offer_id)
        if not found:
            raise NotIndexedError(f"offer {offer_id} is not found in the index")
        return found[0]

    def payments(
        self,
        *,
        due: bool | None = None,
        party: str | None = None,
        state: PaymentState | None = None,
        asset_id: int | None = None,
        offer_id: int | None = None,
        day_from: date | None = None,
        day_to: date | None = None,
        as_of: int | None = None,
        **part: Unpack[Paging],
    ) -> Table[PaymentRow]:
        """List payments by their ids.

        Args:
            due: Only those that can be settled or refunded now, or only the others.
            party: Only those whose buyer or payee this is.
            state: Only those in a state.
            asset_id: Only those for a plant's energy.
            offer_id: Only those of an offer.
            day_from: Only those of this day or later.
            day_to: Only those of this day or earlier.
            as_of: A block height.
            **part: Which part of the list: ``after``, ``limit`` and ``newest_first``, by the id; see `Paging`.
        """
        with self._reader(as_of) as reader:
            return trade.payments(
                reader,
                due=due,
                party=party,
                state=state,
                asset_id=asset_id,
                offer_id=offer_id,
                day_from=day_from,
                day_to=day_to,
                page=Part(**part),
            )

    def payment(self, payment_id: int, *, as_of: int | None = None) -> PaymentRow:
        """Return a payment.

        Args:
            payment_id: The payment.
            as_of: A block height.

        Raises:
            NotIndexedError: If there is no such payment.
        """
        with self._reader(as_of) as reader:
            found = trade.payments(reader, payment_id=payment_id)
        if not found:
            raise NotIndexedError(f"payment {payment_id} is not found in the index")
        return found[0]

    def statement(self, party: str, month: date, *, as_of: int | None = None) -> Statement:
        """Return what a party bought and sold in a month, by day of production: each payment, and exact sums.

        Args:
            party: A principal.
            month: Any day of the month.
            as_of: A block height.
        """
        with self._reader(as_of) as reader:
            return statements.statement(reader, party, month)

    def certificates(
        self,
        *,
        beneficiary: str | None = None,
        from_day: date | None = None,
        to_day: date | None = None,
        asset_id: int | None = None,
        claimant: str | None = None,
        as_of: int | None = None,
        **part: Unpack[Paging],
    ) -> Table[Certificate]:
        """List energy claimed for beneficiaries, oldest first.

        Args:
            beneficiary: Only for a principal.
            from_day: Only of this day of production or later.
            to_day: Only of this day of production or earlier.
            asset_id: Only of a plant.
            claimant: Only by a principal.
            as_of: A block height.
            **part: Which part of the list: ``after``, ``limit`` and ``newest_first``, by ``event_id``; see `Paging`.
        """
        with self._reader(as_of) as reader:
            return certificates.certificates(
                reader,
                beneficiary=beneficiary,
                from_day=from_day,
                to_day=to_day,
                asset_id=asset_id,
                claimant=claimant,
                page=Part(**part),
            )

    def certificate(self, kind: Literal["claim", "retirement"], number: int) -> Certificate:
        """Return a certificate.

        Args:
            kind: Claimed by the energy's buyer, or retired by the plant's owner.
            number: Its number among those of its kind.

        Raises:
            NotIndexedError: If there is no such certificate.
        """
        with self._reader() as reader:
            found = certificates.certificates(reader, only=(kind, number))
        if not found:
            raise NotIndexedError(f"{kind} {number} is not found in the index")
        return found[0]

    def events(
        self,
        *,
        topic: str | None = None,
        asset_id: int | None = None,
        actor: str | None = None,
        offer_id: int | None = None,
        payment_id: int | None = None,
        day: date | None = None,
        txid: str | None = None,
        after: int = 0,
        before: int | None = None,
        limit: int = 100,
        newest_first: bool = False,
    ) -> Table[EventRow]:
        """List events in the order of the chain.

        Args:
            topic: Only of a topic, such as ``offer-created``.
            asset_id: Only of a plant.
            actor: Only those that a principal caused.
            offer_id: Only of an offer.
            payment_id: Only of a payment.
            day: Only of a day of production.
            txid: Only of a transaction.
            after: Only those with a higher number than this.
            before: Only those with a lower number than this.
            limit: At most this many, 1 to 10,000.
            newest_first: Whether the newest comes first.

        Raises:
            InvalidValueError: If the limit is out of range.
        """
        with self._reader() as reader:
            return activity.events_of(
                reader,
                topic=topic,
                asset_id=asset_id,
                actor=actor,
                offer_id=offer_id,
                payment_id=payment_id,
                day=day,
                txid=txid,
                after=after,
                before=before,
                limit=limit,
                newest_first=newest_first,
            )

    def event_records(
        self, *, contract: str | None = None, topic: str | None = None, asset_id: int | None = None, limit: int = 100
    ) -> tuple[EventRecord, ...]:
        """List the last events, typed and oldest first, like ``der.market.events()`` and similar methods.

        Args:
            contract: Only of a contract, such as ``market-participation``.
            topic: Only of a topic, such as ``offer-created``.
            asset_id: Only of a plant.
            limit: The largest number of results.
        """
        with self._reader() as reader:
            deployer = read_about(reader.connection)["deployer"]
            return activity.records_of(reader, deployer, contract=contract, topic=topic, asset_id=asset_id, limit=limit)

    def transactions(
        self,
        *,
        txid: str | None = None,
        sender: str | None = None,
        before_height: int | None = None,
        limit: int = 100,
    ) -> Table[TransactionRow]:
        """List transactions in which the contracts printed something, newest first.

        Args:
            txid: Only one.
            sender: Only those of a sender.
            before_height: Only those below a height.
            limit: At most this many, 1 to 10,000.

        Raises:
            InvalidValueError: If the limit is out of range.
        """
        with self._reader() as reader:
            return activity.transactions_of(reader, txid=txid, sender=sender, before_height=before_height, limit=limit)

    def attention(
        self,
        now: datetime | None = None,
        *,
        expiring_within: timedelta = DEFAULT_NOTICE,
        asset_id: int | None = None,
    ) -> Table[Attention]:
        """List what may need doing, the most urgent first.

        Args:
            now: The moment; the time of the newest block if not given.
            expiring_within: Offers that expire within this time are listed.
            asset_id: Only of a plant.
        """
        with self._reader() as reader:
            return attention(reader, now, expiring_within, asset_id)

    def credits(self, *, party: str | None = None, token: str | None = None, as_of: int | None = None) -> Table[Credit]:
        """List what parties can withdraw of tokens.

        Args:
            party: Only of a principal.
            token: Only of a token.
            as_of: A block height.
        """
        with self._reader(as_of) as reader:
            return trade.credits_of(reader, party=party, token=token)

    def ledger(self, *, as_of: int | None = None) -> Table[LedgerRow]:
        """List what is locked, earned and owed by token, STX first.

        Args:
            as_of: A block height.
        """
        with self._reader(as_of) as reader:
            return trade.ledger(reader)

    def roles(self, *, as_of: int | None = None) -> Table[RoleRow]:
        """List who has which role.

        Args:
            as_of: A block height.
        """
        with self._reader(as_of) as reader:
            return trade.roles(reader)

    def system(self, *, as_of: int | None = None) -> System | None:
        """Return the settings of the contracts, or ``None`` if they are not deployed.

        Args:
            as_of: A block height.
        """
        with self._reader(as_of) as reader:
            return trade.system(reader)

    def overview(self, now: datetime | None = None, *, expiring_within: timedelta = DEFAULT_NOTICE) -> Overview | None:
        """Return today's figures, or ``None`` if the index has no block yet.

        Args:
            now: The moment; the time of the newest block if not given.
            expiring_within: Offers that expire within this time need attention.
        """
        with self._reader() as reader:
            tip = _tip(reader)
            return None if tip is None else overview(reader, tip, now or tip.block_time, expiring_within)


def _tip(reader: Reader) -> Tip | None:
    row = reader.tip
    if row is None:
        return None
    about = read_about(reader.connection)
    return Tip(row.height, row.hash, row.time, reader.event_count(), about["deployer"], int(about["network"]))
