"""A transaction that was sent is never lost from sight, and Ctrl-C before that sends nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, cast

import pytest
import typer

from der_client.cli import sending
from der_client.cli.sending import Preview, confirm, send_and_wait

if TYPE_CHECKING:
    from der_client.stacks.transactions import Transaction

TXID = "ab" * 32


class Signed:
    """A signed transaction."""

    txid = TXID


SIGNED = cast("Transaction", Signed())


def interrupted(*_: object, **__: object) -> NoReturn:
    raise KeyboardInterrupt


def aborted(*_: object, **__: object) -> NoReturn:
    raise typer.Abort


@pytest.mark.parametrize(
    ("send", "wait", "said"),
    [
        (str, interrupted, "was sent"),
        (interrupted, str, "may have been sent"),
    ],
)
def test_an_interrupted_wait_names_the_transaction(
    capsys: pytest.CaptureFixture[str], send: Any, wait: Any, said: str
) -> None:
    with pytest.raises(typer.Exit) as caught:
        send_and_wait(SIGNED, send, wait)
    assert caught.value.exit_code == 130
    assert capsys.readouterr().err == (
        f"\ninterrupted: transaction {TXID} {said} and its outcome is unknown; look at it with 'der tx {TXID}' before "
        "you send again\n"
    )


def test_an_interrupted_question_sends_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "show_preview", lambda *_: None)
    monkeypatch.setattr(sending, "_has_terminal", lambda: True)
    monkeypatch.setattr(typer, "confirm", aborted)
    on: Any = type("Asking", (), {"yes": False})
    with pytest.raises(typer.Exit) as caught:
        confirm(on, SIGNED, Preview("This sends:"))
    assert caught.value.exit_code == 1
    assert capsys.readouterr().err.endswith("\nnothing was sent\n")
