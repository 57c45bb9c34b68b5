"""When a user's test fails with an error of this library, the traceback shows the user's line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

pytest_plugins = ["pytester"]

TEST = """
from der_client import Der, PrivateKey
from der_client.contracts.asset_verification import AssetKind
from der_client.stacks.network import DEVNET

def register(der):
    return der.assets.register_asset(AssetKind.SOLAR, -5, "9xj3ud", "CO", bytes(32), 900)  # the user's line

def test_ours():
    der = Der.connect("http://127.0.0.1:9", deployer="ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM", network=DEVNET)
    register(der)

def test_a_fault_of_the_library(monkeypatch):
    der = Der.connect("http://127.0.0.1:9", deployer="ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM", network=DEVNET)
    monkeypatch.setattr("der_client.stacks.contract.declared.Call", None)
    der.assets.set_paused(True)
"""


def test_frames_of_the_library_are_hidden(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(TEST)
    text = str(pytester.runpytest_subprocess("-p", "no:cacheprovider").stdout)
    ours, fault = text.split("_ test_a_fault_of_the_library _", 1)
    assert "# the user's line" in ours
    assert "EncodeError: register_asset.capacity_w: -5 is out of range" in ours
    assert "der_client/stacks" not in ours
    assert "der_client/stacks/contract/declared.py" in fault


def test_full_tracebacks_show_the_frames_of_the_library(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(TEST)
    text = str(pytester.runpytest_subprocess("-p", "no:cacheprovider", "-k", "ours", "--full-trace").stdout)
    assert "der_client/stacks" in text
