"""Event observers that are configured from Python or in the project's settings."""

from __future__ import annotations

import json
import shutil
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from der_client.devnet import Devnet, DevnetError
from der_client.stacks.account import Account
from der_client.stacks.clarity import PrincipalValue
from der_client.stacks.rpc import Client
from der_client.stacks.transactions import ContractCall, ContractPublish, TokenTransfer

from .bare_devnet import BareDevnet

if TYPE_CHECKING:
    from collections.abc import Iterator

SETTINGS = Path(__file__).parents[3] / "settings"


@contextmanager
def listening() -> Iterator[tuple[str, list[tuple[str, Any]]]]:
    """Start an observer, and yield its address and the events that it receives."""
    posts: list[tuple[str, Any]] = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posts.append((self.path, json.loads(self.rfile.read(int(self.headers["content-length"])))))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Listener) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}", posts
        server.shutdown()


def pay(devnet: Devnet) -> str:
    payer = Account(devnet.accounts["wallet_1"].key, Client(devnet.url))
    return payer.transfer(devnet.accounts["wallet_2"].address, 5).wait().txid


def test_observers_from_options_and_from_settings(tmp_path: Path) -> None:
    with listening() as (all_events, posts), listening() as (mempool_only, mempool_posts):
        shutil.copytree(SETTINGS, tmp_path / "settings")
        settings = tmp_path / "settings" / "Devnet.toml"
        observers = f'stacks_node_events_observers = ["{all_events}"]\n'
        settings.write_text(settings.read_text().replace("[devnet]\n", f"[devnet]\n{observers}"))
        options = [f"{mempool_only}=memtx"]
        with Devnet(project=tmp_path, deploy_contracts=False, event_observers=options) as devnet:
            txid = pay(devnet)
        # A devnet delivers all events to its observers before it ends.
        paths = [path for path, _ in posts]
        assert paths == ["/new_burn_block", "/new_block", "/new_mempool_tx", "/new_block"]
        assert [transaction["txid"] for transaction in posts[-1][1]["transactions"]] == [f"0x{txid}"]
        assert [path for path, _ in mempool_posts] == ["/new_block", "/new_mempool_tx", "/new_block"]
        assert mempool_posts[-1][1]["events"] == []


def test_events_in_the_state_file_are_not_sent_again(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with Devnet(deploy_contracts=False, state_file=state) as devnet:
        pay(devnet)
    with listening() as (observer, posts):
        with Devnet(deploy_contracts=False, state_file=state, event_observers=[observer]) as devnet:
            height = devnet.mine()
        assert [body["block_height"] for path, body in posts if path == "/new_block"] == [height]


def test_events_of_an_unmet_post_condition_are_not_committed() -> None:
    """Like a node, the devnet posts them among the other events of the block, and their indexes count."""
    source = '(define-public (burn) (begin (print "hot") (stx-burn? u3 tx-sender)))'
    with listening() as (everything, posts), listening() as (stx_only, stx_posts):
        observers = [everything, f"{stx_only}=stx"]
        with Devnet(deploy_contracts=False, block_interval_s=0, event_observers=observers) as devnet:
            bare = BareDevnet(devnet)
            burner, payer = bare.account(1), bare.account(2)
            bare.send(burner, ContractPublish("fire", source, 4))
            devnet.mine()
            call = ContractCall(f"{burner.address}.fire", "burn", ())
            broken = bare.send(burner, call)  # in deny mode, and no condition allows it
            paid = bare.send(payer, TokenTransfer(PrincipalValue(burner.address), 5))
            devnet.mine()
            receipt = bare.receipt(broken)
    assert (receipt["tx_status"], receipt["event_count"]) == ("abort_by_post_condition", 0)
    told = [tuple(event[key] for key in ("event_index", "txid", "type", "committed")) for event in last_events(posts)]
    expected = [
        (0, f"0x{broken}", "contract_event", False),
        (1, f"0x{broken}", "stx_burn_event", False),
        (2, f"0x{paid}", "stx_transfer_event", True),
    ]
    assert told == expected
    assert [event["event_index"] for event in last_events(stx_posts)] == [1, 2]


def last_events(posts: list[tuple[str, Any]]) -> list[dict[str, Any]]:
    blocks = [body for path, body in posts if path == "/new_block"]
    return list(blocks[-1]["events"])


def test_invalid_observers_are_rejected() -> None:
    with pytest.raises(DevnetError, match=r"event observer localhost: expected HOST:PORT"):
        Devnet(deploy_contracts=False, event_observers=["localhost"])
    with pytest.raises(DevnetError, match=r"nothing is not an event key; expected one of \*, stx"):
        Devnet(deploy_contracts=False, event_observers=["localhost:3700=nothing"])
