"""Draws how far time passes."""

from __future__ import annotations

from der_client.contracts.production_tracking import DayState
from der_client.contracts.settlement import PaymentState
from tests.model.drawing.situation import Maker, Situation
from tests.model.reference.clock import DAY_S, end_of_window, start_of
from tests.model.step import Wait


class Waiting(Situation):
    """Draws how far time passes."""

    def makers(self) -> dict[Maker, int]:
        """Return the methods that draw an action, with their weights."""
        return {
            self.wait: 22,
        }

    def wait(self) -> Wait:
        """Wait until about the end of a slot, a day or a window: exactly, just before or just after."""
        now = self.system.clock.now
        kind = self.random.random()
        if kind < 0.35:
            target = (now // 900 + self.pick((1, 1, 2, 4, 8))) * 900
        elif kind < 0.85:
            target = start_of(self.today + 1)
        elif kind < 0.93:
            target = start_of(self.today + self.pick((2, 3, 7)))
        else:
            target = self.end_of_something(now)
        return Wait(max(now, target + self.pick((-20, -10, -10, 0, 0, 10))))

    def end_of_something(self, now: int) -> int:
        """Pick a coming deadline.

        Deadlines are the ends of recording and verification, expiries of offers, and the times when a capacity may
        change again, a key becomes free or a fee changes.
        """
        days = [*self.days(DayState.RECORDED, DayState.DISPUTED)]
        payments = self.system.settlement.payments.values()
        days += [(item.asset_id, item.day) for item in payments if item.state is PaymentState.LOCKED]
        ends = [end_of_window(day) for _, day in days] + [start_of(day + 31) for _, day in days]
        ends += [offer.expires_at for offer in self.system.market.offers.values() if offer.open_wh]
        assets = self.system.assets.assets.values()
        ends += [start_of(day + 45) for asset in assets for day in (asset.capacity_from_day, asset.key_from_day)]
        ends += [start_of(asset.key_from_day + 30) for asset in assets]
        ends += [start_of(asset.last_day + 31) for asset in assets if asset.last_day is not None]
        ends.append(self.system.settlement.fees_set[-1][0])
        coming = sorted({end for end in ends if now < end < now + 60 * DAY_S})
        return self.pick(coming) if coming else start_of(self.today + self.pick((30, 31, 45, 46, 47)))
