"""Day messages in CBOR (RFC 8949), for devices without room for JSON: the same fields, with the signature as bytes.

The day may be its number since 1970; the other fields are as in JSON. Needs the extra ``gateway``.
"""

from __future__ import annotations

from typing import Any, Final

from der_client.readings.signers import Curve
from der_client.readings.signing import DayMessage
from der_client.readings.slots import LAST_DAY, day_number, day_of
from der_client.stacks.checks import check_number, is_whole_number
from der_client.stacks.errors import InvalidValueError
from der_client.stacks.extras import require_extra

MAX_BYTES: Final = 8192
"""A message of 96 readings has about 1,000 bytes; no message needs more."""


def to_cbor(message: DayMessage) -> bytes:
    """Return a message in CBOR, for a relayer.

    Raises:
        MissingExtraError: If cbor2 is not installed.
    """
    fields: dict[str, Any] = {
        "contract": message.contract,
        "chain_id": message.chain_id,
        "asset_id": message.asset_id,
        "day": day_number(message.day),
        "key_epoch": message.key_epoch,
        "start": message.start,
        "whs": list(message.whs),
        "signature": message.signature,
    }
    if message.curve is not Curve.SECP256K1:
        fields["curve"] = message.curve.name.lower()
    encoded: bytes = _cbor2().dumps(fields)
    return encoded


def from_cbor(data: bytes) -> DayMessage:
    """Read a message that ``to_cbor`` or a device wrote. The signature is not checked: verify the message.

    Raises:
        InvalidValueError: If it is not CBOR, a field is missing, unknown or of the wrong type, or a value is
            impossible.
    """
    return DayMessage.from_fields(json_fields(decode_cbor(data)))


def decode_cbor(data: bytes, *, max_bytes: int = MAX_BYTES) -> Any:
    """Return the content of one item of CBOR, with tags that would create objects ignored.

    Raises:
        InvalidValueError: If it is longer than allowed, not CBOR, or followed by something else.
    """
    if len(data) > max_bytes:
        raise InvalidValueError(f"the CBOR has {len(data)} bytes: a day message has at most {max_bytes}")
    cbor2 = _cbor2()
    try:
        item = cbor2.loads(data)
    except Exception as error:
        raise InvalidValueError(f"the day message is not CBOR: {str(error)[:100]}") from error
    return item


def json_fields(fields: object) -> object:
    """Return the fields of a message in CBOR as they are in JSON."""
    if not isinstance(fields, dict):
        return fields
    changed = dict(fields)
    signature, day = changed.get("signature"), changed.get("day")
    if isinstance(signature, bytes):
        changed["signature"] = signature.hex()
    if is_whole_number(day):
        number = check_number(day, 0, day_number(LAST_DAY), "day of the day message, since 1970,")
        changed["day"] = day_of(number).isoformat()
    return changed


def _cbor2() -> Any:
    with require_extra("gateway"):
        import cbor2  # noqa: PLC0415 -- an extra
    return cbor2
