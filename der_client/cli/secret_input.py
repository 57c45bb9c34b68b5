"""Where secrets come from: files, the environment, a prompt without echo; never the command line, never shown."""

from __future__ import annotations

import getpass
import os
import re
from typing import TYPE_CHECKING, Final

from der_client.stacks.errors import InvalidValueError, KeyFormatError
from der_client.stacks.keys import PrivateKey
from der_client.stacks.keystore import MAX_FILE_LENGTH, open_key
from der_client.stacks.secret import Secret

if TYPE_CHECKING:
    from pathlib import Path

KEY_VARIABLE: Final = "DER_KEY"
PASSPHRASE_VARIABLE: Final = "DER_PASSPHRASE"  # noqa: S105 -- a name, not a passphrase
MNEMONIC_PASSPHRASE_VARIABLE: Final = "DER_MNEMONIC_PASSPHRASE"  # noqa: S105
# What somebody may type in place of a file by mistake: a key in hexadecimal, or a mnemonic.
_LOOKS_SECRET: Final = re.compile(r"(?:0[xX])?[0-9a-fA-F]{60,}|(?:[A-Za-z]+\s+){11,}[A-Za-z]+")


def read_signing_key(file: Path | None) -> PrivateKey:
    """Read the key that signs.

    Args:
        file: Hexadecimal text, or an encrypted key file, whose passphrase is asked for. Without a file, ``DER_KEY``
            holds the key in hexadecimal.

    Raises:
        KeyFormatError: If there is no key, or it is not valid; the message does not contain it.
        InvalidValueError: If a passphrase is needed and there is nobody to ask.
    """
    forbid_core_dumps()
    if file is not None:
        return key_in(read_key_data(file), file)
    text = Secret(os.environ.get(KEY_VARIABLE, ""))
    if not text.reveal():
        raise KeyFormatError(
            "no key to sign with: give --key NAME or FILE ('der keys list' shows yours; a devnet has wallet_1 and "
            f"others), or put the key into the environment as {KEY_VARIABLE}"
        )
    return _parse(text, KEY_VARIABLE)


def forbid_core_dumps() -> None:
    """Make this process leave no core file if it crashes from here on: it is about to hold a secret."""
    try:
        import resource  # noqa: PLC0415 -- not on Windows, which writes no core files
    except ImportError:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))


def refuse_secret(argument: str, option: str) -> None:
    """Refuse an argument that looks like a secret itself; it is not repeated.

    Raises:
        KeyFormatError: If it does.
    """
    if _LOOKS_SECRET.fullmatch(argument.strip()):
        raise KeyFormatError(
            f"{option}: this looks like a key or a mnemonic itself; on a command line every user of this machine can "
            f"see it, and the shell keeps it: put it into a file, or into the environment as {KEY_VARIABLE}"
        )


def ask_passphrase(purpose: str, *, twice: bool = False) -> Secret[str]:
    """Return the passphrase of a key file: from ``DER_PASSPHRASE``, or asked for on the terminal.

    Args:
        purpose: What the prompt says it is for.
        twice: Whether it is a new one, which is asked for a second time.

    Raises:
        InvalidValueError: If it is empty, the two differ, or there is no terminal to ask on.
    """
    return _ask_passphrase(purpose, PASSPHRASE_VARIABLE, twice=twice)


def ask_mnemonic_passphrase() -> Secret[str]:
    """Return the passphrase of a mnemonic (BIP-39): ``DER_MNEMONIC_PASSPHRASE``, or asked for twice on the terminal.

    Every passphrase opens another wallet, so nothing else would show a typing error.

    Raises:
        InvalidValueError: If it is empty, the two differ, or there is no terminal to ask on.
    """
    return _ask_passphrase("of the mnemonic", MNEMONIC_PASSPHRASE_VARIABLE, twice=True)


def _ask_passphrase(purpose: str, variable: str, *, twice: bool) -> Secret[str]:
    forbid_core_dumps()
    if variable in os.environ:
        passphrase = Secret(os.environ[variable])
    else:
        passphrase = ask_secret(f"Passphrase {purpose}: ", f"put it into the environment as {variable}")
        if twice and passphrase.reveal() != ask_secret("Repeat the passphrase: ", "").reveal():
            raise InvalidValueError("the two passphrases differ; nothing was written")
    if not passphrase.reveal():
        raise InvalidValueError("the passphrase is empty; it must have at least one character")
    return passphrase


def ask_secret(prompt: str, otherwise: str) -> Secret[str]:
    """Ask on the terminal, without echo.

    Args:
        prompt: What to ask.
        otherwise: What can be done where there is no terminal.

    Raises:
        InvalidValueError: If there is no terminal.
    """
    if not has_terminal():
        raise InvalidValueError(f"there is no terminal to ask on ({prompt.rstrip(': ')}); {otherwise}")
    return Secret(getpass.getpass(prompt))


def has_terminal() -> bool:
    """Return whether this process has a terminal, whatever its standard streams are."""
    try:
        os.close(os.open(os.ctermid(), os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def show_on_terminal(text: str) -> None:
    """Write to the terminal itself, so that no pipe, file or log of standard output gets it.

    Raises:
        OSError: If there is no terminal.
    """
    with open(os.ctermid(), "w", encoding="utf-8") as terminal:  # noqa: PTH123 -- a device, not a path of the user's
        terminal.write(text)


def read_key_data(file: Path, option: str = "--key") -> Secret[bytes]:
    """Return what is in a key file.

    Args:
        file: The file.
        option: The option that names it.

    Raises:
        KeyFormatError: If it cannot be read, or its name looks like a secret itself.
    """
    refuse_secret(str(file), option)
    try:
        # Read once: it may be a pipe.
        with file.open("rb") as opened:
            return Secret(opened.read(MAX_FILE_LENGTH + 1))
    except OSError as error:
        advice = "; make one with 'der keys new NAME'" if isinstance(error, FileNotFoundError) else ""
        raise KeyFormatError(f"key file {file}: cannot be read: {error.strerror}{advice}") from None


def key_in(data: Secret[bytes], file: Path) -> PrivateKey:
    """Return the key that a key file holds: hexadecimal text, or an encrypted key file, whose passphrase is asked for.

    Args:
        data: What is in the file.
        file: The file, for messages.

    Raises:
        KeyFormatError: If it is not a key, or the passphrase is wrong; the message does not contain it.
        InvalidValueError: If a passphrase is needed and there is nobody to ask.
    """
    if data.reveal().lstrip().startswith(b"{"):
        return open_key(data.reveal(), ask_passphrase(f"of {file}"), source=str(file))
    return _parse(Secret(data.reveal().decode("ascii", errors="replace")), f"key file {file}")


def _parse(text: Secret[str], source: str) -> PrivateKey:
    try:
        return PrivateKey.from_hex(text)
    except KeyFormatError as error:
        raise KeyFormatError(f"{source}: {error}") from None
