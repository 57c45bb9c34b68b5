"""The slots of a certificate as times of day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from der_client.readings.slots import mask_runs
from der_client.web.amounts import clock

if TYPE_CHECKING:
    from der_client.index.answers import Certificate

_TO: Final = "\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}"
_SHOWN: Final = 3


def slot_times(certificate: Certificate) -> str:
    """Return when the energy was produced, such as 06:00 to 18:00, or several spans.

    Args:
        certificate: The certificate.
    """
    length = certificate.slot_seconds
    spans = [
        f"{clock(start * length)}{_TO}{clock((start + count) * length)}" for start, count in mask_runs(certificate.mask)
    ]
    more = f" and {len(spans) - _SHOWN} more" if len(spans) > _SHOWN else ""
    return ", ".join(spans[:_SHOWN]) + more
