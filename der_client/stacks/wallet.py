"""Hierarchical wallets: a mnemonic (BIP-39) gives a seed, a seed gives keys along paths (BIP-32).

The Stacks path is ``m/44'/5757'/0'/0/i`` (SLIP-44 coin type 5757); Clarinet's ``Devnet.toml`` uses the same.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from typing import Final

import coincurve
from mnemonic import Mnemonic

from der_client.stacks.checks import check_kind, check_number, check_secret_kind
from der_client.stacks.errors import KeyFormatError, shown, whole
from der_client.stacks.keys import PrivateKey
from der_client.stacks.secret import Secret

STACKS_PATH: Final = "m/44'/5757'/0'/0"

_ENGLISH: Final = Mnemonic("english")
_STRENGTHS: Final = {12: 128, 15: 160, 18: 192, 21: 224, 24: 256}
_PATH: Final = re.compile(r"m(?:/[0-9]{1,10}['hH]?)*\Z")
_HARDENED: Final = 1 << 31
_MAX_DEPTH: Final = 255
_SEED_ROUNDS: Final = 2048
_SEED_LENGTHS: Final = range(16, 65)


class Wallet:
    """A seed and the keys that follow from it. Only ``words`` and the keys' own ``to_hex`` show a secret."""

    __slots__ = ("_accounts", "_root", "_words")

    def __init__(self, seed: bytes | Secret[bytes], words: str | Secret[str] | None = None) -> None:
        """Take the seed; use ``from_mnemonic``, ``from_seed`` or ``generate``.

        Raises:
            KeyFormatError: If it is not 16 to 64 bytes.
        """
        seed, words = Secret.of(seed), None if words is None else Secret.of(words)
        _check_seed(seed)
        self._root = _Node.from_seed(seed)
        self._accounts: _Node | None = None
        self._words = words

    @classmethod
    def from_mnemonic(cls, words: str | Secret[str], passphrase: str | Secret[str] = "") -> Wallet:
        """Open the wallet of a mnemonic (BIP-39, English words).

        Args:
            words: 12, 15, 18, 21 or 24 words, separated by white space. A `Secret` keeps it out of the caller's local
                variables.
            passphrase: The optional "25th word"; every passphrase opens another wallet.

        Returns:
            The wallet.

        Raises:
            KeyFormatError: If a word is not in the list, the checksum is wrong, or one of the two is not text; the
                error does not show them.
        """
        words, passphrase = Secret.of(words), Secret.of(passphrase)
        _check_text(words, "words")
        _check_text(passphrase, "passphrase")
        parts = Secret(unicodedata.normalize("NFKD", words.reveal()).lower().split())
        count = len(parts.reveal())
        if count not in _STRENGTHS:
            raise KeyFormatError(f"a mnemonic has 12, 15, 18, 21 or 24 words, not {count}")
        unknown = _unknown_places(parts)
        if unknown:
            raise KeyFormatError(
                f"these words of the mnemonic are not in BIP-39's English list: no. {', '.join(unknown)}"
            )
        text = Secret(" ".join(parts.reveal()))
        if not _ENGLISH.check(text.reveal()):
            raise KeyFormatError("the mnemonic's checksum is wrong: a word is wrong or in the wrong place")
        return cls(_seed(text, passphrase), text)

    @classmethod
    def from_seed(cls, seed: bytes | Secret[bytes]) -> Wallet:
        """Open the wallet of a BIP-32 seed.

        Args:
            seed: 16 to 64 bytes.

        Returns:
            The wallet; it has no mnemonic.

        Raises:
            KeyFormatError: If it is not bytes, or the length is wrong.
        """
        seed = Secret.of(seed)
        return cls(seed)

    @classmethod
    def generate(cls, words: int = 24) -> Wallet:
        """Make a new wallet from the operating system's randomness.

        Args:
            words: 12, 15, 18, 21 or 24.

        Returns:
            The wallet; write its ``words`` down.

        Raises:
            KeyFormatError: If it is another number.
        """
        if type(words) is not int or words not in _STRENGTHS:
            given = words if type(words) is int else f"{type(words).__name__} {shown(words)}"
            raise KeyFormatError(f"a mnemonic has 12, 15, 18, 21 or 24 words, not {given}")
        return cls.from_mnemonic(_ENGLISH.generate(_STRENGTHS[words]))

    def words(self) -> str:
        """Return the mnemonic. Whoever sees it controls every account of the wallet.

        Returns:
            The words, separated by single spaces.

        Raises:
            KeyFormatError: If the wallet was opened from a seed.
        """
        if self._words is None:
            raise KeyFormatError("this wallet was opened from a seed, so it has no mnemonic")
        return self._words.reveal()

    def account(self, index: int = 0) -> PrivateKey:
        """Return the key of a Stacks account, numbered as in Stacks wallets and Clarinet.

        Args:
            index: 0 to 2³¹ - 1.

        Returns:
            The key at ``m/44'/5757'/0'/0/index``.

        Raises:
            KeyFormatError: If the index is not a whole number, or out of range.
        """
        check_number(index, 0, _HARDENED - 1, "index", KeyFormatError)
        if self._accounts is None:
            self._accounts = self._root.descendant(STACKS_PATH)
        return PrivateKey(self._accounts.child(index).key, compressed=True)

    def derive(self, path: str) -> PrivateKey:
        """Return the key at a path.

        Args:
            path: ``m``, then ``/`` and a number for each step, with ``'`` (or h) if hardened.

        Returns:
            The key, for a compressed public key.

        Raises:
            KeyFormatError: If the path is malformed, a number reaches 2³¹ or it has more than 255 steps.
        """
        return PrivateKey(self._root.descendant(path).key, compressed=True)

    @whole
    def __repr__(self) -> str:
        """Return a text without any secret."""
        return "Wallet(<secret>)"


class _Node:
    """An extended private key of BIP-32."""

    __slots__ = ("chain_code", "key")

    def __init__(self, key: coincurve.PrivateKey, chain_code: bytes) -> None:
        self.key = key
        self.chain_code = chain_code

    @classmethod
    def from_seed(cls, seed: Secret[bytes]) -> _Node:
        digest = Secret(hmac.digest(b"Bitcoin seed", seed.reveal(), "sha512"))
        return cls(coincurve.PrivateKey(digest.reveal()[:32]), digest.reveal()[32:])

    def descendant(self, path: str) -> _Node:
        node = self
        for index in _parse_path(path):
            node = node.child(index)
        return node

    def child(self, index: int) -> _Node:
        parent = Secret(b"\x00" + self.key.secret if index >= _HARDENED else self.key.public_key.format())
        digest = Secret(hmac.digest(self.chain_code, parent.reveal() + index.to_bytes(4), "sha512"))
        try:
            return _Node(self.key.add(digest.reveal()[:32]), digest.reveal()[32:])
        except ValueError:  # this happens once in 2¹²⁷ (BIP-32)
            raise KeyFormatError(f"there is no key at index {index}; take the next") from None

    @whole
    def __repr__(self) -> str:
        return "_Node(<secret>)"


def _check_seed(seed: Secret[bytes]) -> None:
    if not isinstance(seed.reveal(), bytes):
        raise KeyFormatError(
            f"a wallet's seed is 16 to 64 bytes, got {type(seed.reveal()).__name__}; for words, use "
            "Wallet.from_mnemonic(…); for hexadecimal text, Wallet.from_seed(bytes.fromhex(…))"
        )
    length = len(seed.reveal())
    if length not in _SEED_LENGTHS:
        raise KeyFormatError(f"a wallet's seed has 16 to 64 bytes, not {length}")


def _unknown_places(words: Secret[list[str]]) -> list[str]:
    return [str(place) for place, word in enumerate(words.reveal(), 1) if word not in _ENGLISH.wordlist]


def _seed(words: Secret[str], passphrase: Secret[str]) -> Secret[bytes]:
    """Return the seed of normalized words (BIP-39, "From mnemonic to seed")."""
    salt = Secret(unicodedata.normalize("NFKD", "mnemonic" + passphrase.reveal()).encode())
    return Secret(hashlib.pbkdf2_hmac("sha512", words.reveal().encode(), salt.reveal(), _SEED_ROUNDS))


def _check_text(text: Secret[str], what: str) -> None:
    """Refuse text without a UTF-8 form, from which the seed is made."""
    check_secret_kind(text, str, what, error=KeyFormatError)
    try:
        text.reveal().encode()
    except UnicodeEncodeError:
        raise KeyFormatError(f"{what}: contains a lone surrogate, which is not a character") from None


def _parse_path(path: str) -> tuple[int, ...]:
    check_kind(path, str, "path", f"e.g. {STACKS_PATH}/0", KeyFormatError)
    if not _PATH.match(path):
        raise KeyFormatError(f"{path[:80]!r} is not a derivation path: expected e.g. {STACKS_PATH}/0")
    steps = path.split("/")[1:]
    if len(steps) > _MAX_DEPTH:
        raise KeyFormatError(f"a derivation path has at most 255 steps, not {len(steps)}")
    return tuple(_parse_step(step, path) for step in steps)


def _parse_step(step: str, path: str) -> int:
    number = int(step.rstrip("'hH"))
    if number >= _HARDENED:
        raise KeyFormatError(f"{number} in the path {path!r} is above 2147483647")
    return number if step[-1].isdigit() else number + _HARDENED
