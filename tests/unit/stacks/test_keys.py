"""Keys and signatures, checked against stacks-core's vectors and two other implementations of secp256k1."""

from __future__ import annotations

import copy
import json
import pickle
import traceback
from hashlib import sha256
from pathlib import Path
from typing import Any

import ecdsa  # type: ignore[import-untyped]
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from hypothesis import given
from hypothesis import strategies as st

from der_client.stacks import keys
from der_client.stacks.errors import InvalidValueError, KeyFormatError, SigningError
from der_client.stacks.keys import PrivateKey, PublicKey
from der_client.stacks.network import MAINNET, TESTNET
from der_client.stacks.ripemd160 import ripemd160, ripemd160_in_python

VECTORS = Path(__file__).parents[2] / "vectors"
ACCOUNTS: list[dict[str, Any]] = json.loads((VECTORS / "accounts.json").read_text())["devnet"]
SECRET = "753b7cc01a1a2e86221266a154af739463fce51219d97e4f856cd7200c3bd2a6"
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141

SECRETS = st.integers(1, ORDER - 1).map(lambda number: number.to_bytes(32))
DIGESTS = st.binary(min_size=32, max_size=32)


@pytest.mark.parametrize("account", ACCOUNTS, ids=lambda account: account["name"])
def test_clarinets_accounts_have_the_known_keys_and_addresses(account: dict[str, Any]) -> None:
    key = PrivateKey.from_hex(account["private_key"])
    assert key.address(TESTNET) == account["stx_address_testnet"]
    assert key.address(MAINNET) == account["derived"][0]["address_mainnet"]
    assert key.public_key.data.hex() == account["derived"][0]["public_key"]
    assert key.to_hex() == account["private_key"]


def test_the_two_forms_of_a_key_have_different_addresses() -> None:
    long, short = PrivateKey.from_hex(SECRET), PrivateKey.from_hex(f"0x{SECRET}01")
    assert (long.compressed, short.compressed) == (False, True)
    assert long.address(TESTNET) != short.address(TESTNET)
    assert long.public_key.compressed_data == short.public_key.data
    assert short.public_key.uncompressed_data == long.public_key.data
    assert long != short
    assert PrivateKey.from_bytes(bytes.fromhex(SECRET)) == long
    assert {long: 1}[PrivateKey.from_hex(SECRET)] == 1


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "zz" * 32,
        SECRET + "02",
        SECRET[:-2],
        SECRET + "0101",
        "00" * 32,
        f"{ORDER:064x}",
        "ff" * 32,
        SECRET[:-1],
        None,
        7,
    ],
)
def test_invalid_private_keys_are_rejected_without_showing_them(bad: Any) -> None:
    with pytest.raises(KeyFormatError) as caught:
        PrivateKey.from_hex(bad)
    shown = "".join(traceback.format_exception(caught.value))
    if isinstance(bad, str) and bad:
        assert bad not in shown
        assert bad[8:40] not in shown


def test_only_to_hex_shows_the_secret() -> None:
    key = PrivateKey.from_hex(SECRET + "01")
    for shown in (repr(key), str(key), f"{key}", repr([key]), repr({"k": key})):
        assert SECRET[:16] not in shown
        assert key.public_key.data.hex() in shown
    assert not hasattr(key, "__dict__")
    with pytest.raises(TypeError, match="keystore"):
        pickle.dumps(key)
    with pytest.raises(TypeError):
        copy.copy(key)
    assert pickle.loads(pickle.dumps(key.public_key)) == copy.deepcopy(key.public_key) == key.public_key  # noqa: S301


def test_keys_are_immutable() -> None:
    key = PrivateKey.from_hex(SECRET + "01")
    with pytest.raises(AttributeError):
        key.compressed = False
    with pytest.raises(AttributeError):
        key.public_key.data = b""


@pytest.mark.parametrize(
    "bad",
    ["", "02", "02" + "00" * 31, "05" + "11" * 32, "02" + "ff" * 32, "06" + "11" * 64, "04" + "11" * 64, "not hex"],
)
def test_invalid_public_keys_are_rejected(bad: str) -> None:
    with pytest.raises(KeyFormatError):
        PublicKey.from_hex(bad)


@pytest.mark.parametrize(
    "secret",
    [
        SECRET + "01",
        "02" + SECRET,
        SECRET,
        "abandon " * 11 + "about",
        bytes.fromhex("02" + SECRET),
        PrivateKey.from_hex(SECRET + "01"),
    ],
)
def test_an_invalid_public_key_is_not_shown(secret: Any) -> None:
    """It could be a private key that was passed by mistake."""
    with pytest.raises(KeyFormatError) as caught:
        (PublicKey.from_bytes if isinstance(secret, bytes) else PublicKey.from_hex)(secret)
    for shown in (SECRET, SECRET[8:20], "abandon"):
        assert shown not in str(caught.value)


def test_generated_keys_differ() -> None:
    generated = {PrivateKey.generate() for _ in range(20)}
    assert len(generated) == 20
    assert all(key.compressed for key in generated)


@given(SECRETS, DIGESTS, st.booleans())
def test_signatures_verify_here_and_in_two_other_libraries(secret: bytes, digest: bytes, compressed: bool) -> None:
    key = PrivateKey.from_bytes(secret + b"\x01" if compressed else secret)
    signature = key.sign_recoverable(digest)
    assert key.sign_rsv(digest) == signature[1:] + signature[:1]
    assert key.public_key.verify(digest, signature)
    assert PublicKey.recover(digest, signature, compressed=compressed) == key.public_key
    r, s = int.from_bytes(signature[1:33]), int.from_bytes(signature[33:])
    assert s <= ORDER // 2
    theirs = ecdsa.VerifyingKey.from_string(key.public_key.data, curve=ecdsa.SECP256k1)
    assert theirs.verify_digest(signature[1:], digest)
    ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256K1(), key.public_key.data).verify(
        utils.encode_dss_signature(r, s), digest, ec.ECDSA(utils.Prehashed(hashes.SHA256()))
    )


@given(SECRETS, DIGESTS)
def test_signatures_are_deterministic_as_in_rfc_6979(secret: bytes, digest: bytes) -> None:
    theirs = ecdsa.SigningKey.from_string(secret, curve=ecdsa.SECP256k1).sign_digest_deterministic(
        digest, hashfunc=sha256, sigencode=ecdsa.util.sigencode_string_canonize
    )
    assert PrivateKey.from_bytes(secret).sign_rsv(digest)[:64] == theirs


@given(SECRETS, DIGESTS, st.integers(0, 64), st.integers(1, 255))
def test_a_changed_signature_does_not_verify(secret: bytes, digest: bytes, place: int, change: int) -> None:
    key = PrivateKey.from_bytes(secret)
    signature = bytearray(key.sign_recoverable(digest))
    signature[place] ^= change
    assert not key.public_key.verify(digest, bytes(signature))


def test_high_s_is_rejected() -> None:
    key, digest = PrivateKey.from_hex(SECRET + "01"), sha256(b"meter").digest()
    signature = key.sign_recoverable(digest)
    mirrored = ORDER - int.from_bytes(signature[33:])
    high = bytes((signature[0] ^ 1,)) + signature[1:33] + mirrored.to_bytes(32)
    # It is a valid ECDSA signature of the same key; only Stacks rejects it.
    theirs = ecdsa.VerifyingKey.from_string(key.public_key.data, curve=ecdsa.SECP256k1)
    assert theirs.verify_digest(high[1:], digest)
    assert not key.public_key.verify(digest, high)
    with pytest.raises(SigningError, match="high s"):
        PublicKey.recover(digest, high)


@pytest.mark.parametrize("signature", [b"", bytes(65), bytes(64), b"\x04" + bytes(31) + b"\x01" * 33, bytes(66)])
def test_malformed_signatures_do_not_recover_or_verify(signature: bytes) -> None:
    digest = bytes(32)
    with pytest.raises(SigningError):
        PublicKey.recover(digest, signature)
    assert not PrivateKey.from_hex(SECRET).public_key.verify(digest, signature)


def test_only_digests_of_32_bytes_are_signed() -> None:
    key = PrivateKey.from_hex(SECRET)
    for length in (0, 31, 33):
        with pytest.raises(InvalidValueError, match="32 bytes"):
            key.sign_recoverable(bytes(length))


@pytest.mark.parametrize(
    ("text", "digest"),
    [  # from the paper on RIPEMD-160
        (b"", "9c1185a5c5e9fc54612808977ee8f548b2258d31"),
        (b"a", "0bdc9d2d256b3ee9daae347be6f4dc835a467ffe"),
        (b"message digest", "5d0689ef49d2fae572b881b123a85ffa21595f36"),
        (b"1234567890" * 8, "9b752e45573d4b39f4dbd3323cab82bf63326bfb"),
        (b"a" * 1_000_000, "52783243c1697bdbe16d37f97f68f08325dc1528"),
    ],
)
def test_ripemd160_matches_the_papers_vectors(text: bytes, digest: str) -> None:
    if len(text) < 1000:
        assert ripemd160_in_python(text).hex() == digest
    assert ripemd160(text).hex() == digest


@given(st.binary(max_size=300))
def test_ripemd160_in_python_matches_openssl(data: bytes) -> None:
    assert ripemd160_in_python(data) == ripemd160(data)


def test_addresses_work_without_ripemd160_in_openssl(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str, *_: object, **__: object) -> None:
        raise ValueError(f"unsupported hash type {name}")

    monkeypatch.setattr("hashlib.new", refuse)
    keys._key_hash160.cache_clear()
    key = PrivateKey.from_hex(ACCOUNTS[0]["private_key"])
    assert key.address(TESTNET) == ACCOUNTS[0]["stx_address_testnet"]


@pytest.mark.parametrize("data", [None, [1] * 32, "11" * 32])
def test_a_private_key_is_made_of_bytes_only(data: Any) -> None:
    with pytest.raises(
        KeyFormatError, match=rf"not {type(data).__name__}; for hexadecimal text, use PrivateKey.from_hex"
    ):
        PrivateKey.from_bytes(data)
    with pytest.raises(
        KeyFormatError, match=rf"not {type(data).__name__}; for hexadecimal text, use PrivateKey.from_hex"
    ):
        PrivateKey(data, compressed=True)


@pytest.mark.parametrize("wrong", [None, "h" * 32, "00" * 65])
def test_what_is_not_bytes_is_refused_by_its_type_when_signing_and_verifying(wrong: Any) -> None:
    key, kind = PrivateKey.generate(), type(wrong).__name__
    for sign in (key.sign_rsv, key.sign_recoverable):
        with pytest.raises(InvalidValueError, match=f"32 bytes, not {kind}"):
            sign(wrong)
    with pytest.raises(InvalidValueError, match=f"65 bytes, not {kind}"):
        key.public_key.verify(bytes(32), wrong)
    with pytest.raises(InvalidValueError, match=f"32 bytes, not {kind}"):
        key.public_key.verify(wrong, key.sign_recoverable(bytes(32)))


def test_a_signature_in_the_other_order_is_named_as_such() -> None:
    key = PrivateKey.from_hex("7287ba251d44a4d3fd9276c88ce34c5c52a038955511cccaf77e61068649c17801")
    with pytest.raises(SigningError, match=r"give signature\[64:\] \+ signature\[:64\]"):
        PublicKey.recover(bytes(32), key.sign_rsv(bytes(32)))
