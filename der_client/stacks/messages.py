"""Signs messages other than transactions: structured data (SIP-018) and plain text.

A structured message is a Clarity value in a domain (application, version, chain), so that a contract can check it with
``secp256k1-recover?`` and a signature for one application or chain is not valid in another. All signatures here are
65 bytes in the order r, s, recovery id, as contracts and wallets expect them; transactions use another order.

Sources: SIP-018; stacks.js ``encryption/src/messageSignature.ts`` for the plain message's prefix.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final

from der_client.stacks.checks import check_kind
from der_client.stacks.clarity import AsciiValue, TupleValue, UIntValue, encode
from der_client.stacks.errors import EncodeError, InvalidValueError
from der_client.stacks.keys import PrivateKey, PublicKey
from der_client.stacks.network import Network, check_network_kind

if TYPE_CHECKING:
    from der_client.stacks.clarity import ClarityValue

_STRUCTURED_DATA_PREFIX: Final = b"SIP018"
_MESSAGE_PREFIX: Final = b"\x17Stacks Signed Message:\n"
_OLD_MESSAGE_PREFIX: Final = b"\x18Stacks Message Signing:\n"
_PRIVATE_KEY: Final = "for hexadecimal text, use PrivateKey.from_hex(…)"
_PUBLIC_KEY: Final = "for a private key, use its public_key; for hexadecimal text, use PublicKey.from_hex(…)"
_DOMAIN_TYPES: Final = {"name": AsciiValue, "version": AsciiValue, "chain-id": UIntValue}


def message_domain(name: str, version: str, network: Network) -> TupleValue:
    """Return the domain of a structured message: the application and the chain that it is for.

    Args:
        name: The application's name, ASCII.
        version: The version of its message format, ASCII.
        network: The network, for its chain id.

    Returns:
        The domain tuple of SIP-018.

    Raises:
        EncodeError: If a text is not ASCII.
        InvalidValueError: If the network is not one.
    """
    check_network_kind(network)
    return TupleValue(
        {"name": AsciiValue(name), "version": AsciiValue(version), "chain-id": UIntValue(network.chain_id)}
    )


def structured_data_hash(domain: TupleValue, message: ClarityValue) -> bytes:
    """Hash a structured message: SHA-256 of ``SIP018``, the domain's hash and the message's hash.

    Args:
        domain: A tuple with at least ``name`` and ``version`` (string-ascii) and ``chain-id`` (uint).
        message: Any Clarity value.

    Returns:
        The 32 bytes to sign; a contract computes the same.

    Raises:
        EncodeError: If the domain is not such a tuple.
    """
    fields = domain.fields if isinstance(domain, TupleValue) else {}
    if not all(isinstance(fields.get(name), of) for name, of in _DOMAIN_TYPES.items()):
        raise EncodeError(
            f"domain: expected {{name: string-ascii, version: string-ascii, chain-id: uint}}, got {domain}"
        )
    return sha256(_STRUCTURED_DATA_PREFIX + sha256(encode(domain)).digest() + sha256(encode(message)).digest()).digest()


def sign_structured_data(key: PrivateKey, domain: TupleValue, message: ClarityValue) -> bytes:
    """Sign a structured message (SIP-018).

    Args:
        key: The signer's key.
        domain: See ``structured_data_hash``.
        message: Any Clarity value.

    Returns:
        65 bytes: r, s, recovery id.

    Raises:
        EncodeError: If the domain is not valid.
        InvalidValueError: If the key is not a key.
    """
    check_kind(key, PrivateKey, "key", _PRIVATE_KEY)
    return key.sign_rsv(structured_data_hash(domain, message))


def verify_structured_data(key: PublicKey, domain: TupleValue, message: ClarityValue, signature: bytes) -> bool:
    """Return whether a key signed a structured message.

    Args:
        key: The signer's public key.
        domain: See ``structured_data_hash``.
        message: Any Clarity value.
        signature: 65 bytes: r, s, recovery id.

    Returns:
        False also for a malformed or high-s signature.

    Raises:
        EncodeError: If the domain is not valid.
        InvalidValueError: If the key is not a key, or the signature is not bytes.
    """
    check_kind(key, PublicKey, "key", _PUBLIC_KEY)
    return key.verify(structured_data_hash(domain, message), _to_vrs(signature))


def recover_structured_data(domain: TupleValue, message: ClarityValue, signature: bytes) -> PublicKey:
    """Find the key that signed a structured message; compare its address with the one you trust.

    Args:
        domain: See ``structured_data_hash``.
        message: Any Clarity value.
        signature: 65 bytes: r, s, recovery id.

    Returns:
        The signer's key, compressed.

    Raises:
        EncodeError: If the domain is not valid.
        InvalidValueError: If the signature is not bytes.
        SigningError: If no key can have made the signature.
    """
    return PublicKey.recover(structured_data_hash(domain, message), _to_vrs(signature))


def message_hash(text: str, *, old_prefix: bool = False) -> bytes:
    """Hash a plain message: SHA-256 of a prefix, the text's length and the text.

    Args:
        text: Any text; its UTF-8 bytes are hashed.
        old_prefix: Whether to use the prefix of earlier wallets, ``Stacks Message Signing``.

    Returns:
        The 32 bytes to sign.

    Raises:
        InvalidValueError: If it is not text.
    """
    check_kind(text, str, "text", "for bytes, use data.decode()")
    try:
        data = text.encode()
    except UnicodeEncodeError as error:
        raise InvalidValueError(
            f"text: character {error.start + 1} is a lone surrogate, which UTF-8 cannot represent"
        ) from None
    prefix = _OLD_MESSAGE_PREFIX if old_prefix else _MESSAGE_PREFIX
    return sha256(prefix + _compact_size(len(data)) + data).digest()


def sign_message(key: PrivateKey, text: str) -> bytes:
    """Sign a plain message, as Stacks wallets do.

    Args:
        key: The signer's key.
        text: Any text.

    Returns:
        65 bytes: r, s, recovery id.

    Raises:
        InvalidValueError: If the key is not a key, or the text is not text.
    """
    check_kind(key, PrivateKey, "key", _PRIVATE_KEY)
    return key.sign_rsv(message_hash(text))


def verify_message(key: PublicKey, text: str, signature: bytes) -> bool:
    """Return whether a key signed a plain message, with the current prefix or the one of earlier wallets.

    Args:
        key: The signer's public key.
        text: The message.
        signature: 65 bytes: r, s, recovery id.

    Returns:
        False also for a malformed or high-s signature.

    Raises:
        InvalidValueError: If the key is not a key, the text is not text, or the signature is not bytes.
    """
    check_kind(key, PublicKey, "key", _PUBLIC_KEY)
    vrs = _to_vrs(signature)
    return any(key.verify(message_hash(text, old_prefix=old), vrs) for old in (False, True))


def recover_message(text: str, signature: bytes, *, old_prefix: bool = False) -> PublicKey:
    """Find the key that signed a plain message; compare its address with the one you trust.

    With the wrong prefix, another key is found, so try both if a signature may be old.

    Args:
        text: The message.
        signature: 65 bytes: r, s, recovery id.
        old_prefix: Whether it was signed with the prefix of earlier wallets.

    Returns:
        The signer's key, compressed.

    Raises:
        InvalidValueError: If the text is not text, or the signature is not bytes.
        SigningError: If no key can have made the signature.
    """
    return PublicKey.recover(message_hash(text, old_prefix=old_prefix), _to_vrs(signature))


def _to_vrs(signature: bytes) -> bytes:
    check_kind(signature, bytes, "signature", "for hexadecimal text, use bytes.fromhex(…)")
    return signature[64:] + signature[:64]


def _compact_size(length: int) -> bytes:
    """Return Bitcoin's variable-length integer, little-endian."""
    if length < 0xFD:
        return bytes((length,))
    if length <= 0xFFFF:
        return b"\xfd" + length.to_bytes(2, "little")
    if length <= 0xFFFFFFFF:
        return b"\xfe" + length.to_bytes(4, "little")
    return b"\xff" + length.to_bytes(8, "little")
