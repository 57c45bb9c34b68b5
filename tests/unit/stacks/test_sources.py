"""Sources of deployment plans: remapped addresses, Clarity versions and epochs."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest

from der_client.stacks.clarinet import References
from der_client.stacks.deployment_epochs import DeploymentEpochs
from der_client.stacks.epochs import epoch_named
from der_client.stacks.errors import DeploymentError, NotFoundError
from der_client.stacks.sources import oldest_version, remap

A = "SP3FBR2AGK5H9QBDH3EEN6DF8EK8JY7RX8QJ5SVTE"
B = "SP2PABAF9FTAJYNFZH93XENAJ8FVY99RRM50D2JG9"
MINE = "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM"


def test_remapping_replaces_whole_ids_and_addresses() -> None:
    source = f"(use-trait t '{A}.token.t)\n(contract-call? '{A}.token-2 f '{B})\n(is-eq x '{B}.other)"
    assert remap(source, {f"{A}.token": f"{MINE}.token"}, {B: MINE}) == (
        f"(use-trait t '{MINE}.token.t)\n(contract-call? '{A}.token-2 f '{MINE})\n(is-eq x '{MINE}.other)"
    )


@pytest.mark.parametrize(
    ("source", "version"),
    [
        ("(define-read-only (f) block-height)", 1),
        ('(define-read-only (f) (slice? "abc" u0 u1))', 2),
        ("(define-read-only (f) stacks-block-height) ;; stacks-block-time", 3),
        ("(define-read-only (f) stacks-block-time)", 4),
        ("(define-private (slice? (a uint)) a) (define-read-only (f) (slice? u1))", 1),
        ('(define-constant slice? 0x) (define-read-only (f) (replace-at? "a" u0 "b"))', 2),
        ("(define-map m {tenure-height: uint} uint) (define-read-only (f (chain-id uint)) (map-get? m chain-id))", 1),
        (
            "(define-read-only (f (x {chain-id: uint})) (let ((tenure-height u1)) (+ tenure-height (get chain-id x))))",
            1,
        ),
        ("(define-read-only (f) {height: tenure-height})", 3),
        ("(define", None),
    ],
)
def test_the_oldest_clarity_version_that_fits_is_found(source: str, version: int | None) -> None:
    assert oldest_version(source) == version


def test_references_list_the_required_contracts() -> None:
    found = References.of(
        f"(impl-trait '{A}.traits.t)\n(define-constant who '{B}.treasury)\n"
        "(define-public (f) (contract-call? .bank pay .shop)) ;; .comment\n(define-constant me .bank)"
    )
    assert found.called == {".bank"}
    assert found.needed == {f"{A}.traits", ".bank", ".shop"}
    assert found.named == {f"{B}.treasury"}


def test_epochs_are_found_by_name() -> None:
    assert [epoch_named(text) for text in ("2", "2.05", "3.0", "latest", "2.6")] == ["2.0", "2.05", "3.0", "4.0", None]


def client_at(*heights: int) -> Any:
    left = list(heights)

    def run(_: object) -> str:
        raise NotFoundError("not a devnet", "http://node")

    def pox() -> Any:
        height = left.pop(0) if len(left) > 1 else left[0]
        return SimpleNamespace(
            current_burnchain_block_height=height,
            epochs=(
                SimpleNamespace(epoch_id="Epoch2_05", start_height=0),
                SimpleNamespace(epoch_id="Epoch24", start_height=9),
            ),
        )

    return SimpleNamespace(run=run, pox=pox)


def test_deploying_waits_until_the_node_reaches_the_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    epochs = DeploymentEpochs(client_at(7, 8, 9), 60)
    epochs.enter("2.05", "here")
    assert waits == []
    epochs.enter("2.4", "here")
    assert len(waits) == 1
    epochs.leave()
    with pytest.raises(DeploymentError, match=r"here: the plan needs epoch 2.4, which begins at burn block 9; .* at 8"):
        DeploymentEpochs(client_at(8), -1).enter("2.4", "here")
