"""Endpoints as values: their requests, and how they read valid, unusual and hostile responses."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from inspect import isclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from der_client.stacks import rpc
from der_client.stacks.clarity import ErrValue, OkValue, UIntValue, encode
from der_client.stacks.clarity.types import OptionalType, ResponseType
from der_client.stacks.errors import (
    AddressError,
    CallReadError,
    InvalidValueError,
    NodeError,
    NodeResponseError,
    NotFoundError,
    SimulationUnavailableError,
    TransactionRejectedError,
)
from der_client.stacks.keys import PrivateKey
from der_client.stacks.network import DEVNET
from der_client.stacks.rpc import (
    ContractLogEvent,
    Endpoint,
    FungibleTokenEvent,
    HttpResponse,
    NonFungibleTokenEvent,
    OtherEvent,
    StxEvent,
    TransactionReceipt,
    TransactionStatus,
    api,
    devnet,
    node,
    responses,
    trace,
)
from der_client.stacks.rpc.rejections import REJECTIONS, explain_rejection
from der_client.stacks.transactions import ContractCall, Transaction

if TYPE_CHECKING:
    from collections.abc import Callable

EXAMPLES = Path(__file__).parents[2] / "vectors" / "rpc_examples"
URL = "http://node.test/asked"
ADDRESS = "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM"
CONTRACT = f"{ADDRESS}.market"
TXID = "ab" * 32


def example(name: str) -> Any:
    return json.loads((EXAMPLES / f"{name}.example.json").read_text())["value"]


def read(endpoint: Endpoint[Any], value: Any, status: int = 200) -> Any:
    return endpoint.read(HttpResponse(status, json.dumps(value).encode(), URL, "application/json"))


def read_text(endpoint: Endpoint[Any], text: str, status: int) -> Any:
    return endpoint.read(HttpResponse(status, text.encode(), URL, "text/plain"))


def transaction_answer(**changes: Any) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "tx_id": f"0x{TXID}",
        "tx_status": "success",
        "tx_type": "contract_call",
        "nonce": 7,
        "fee_rate": "400",
        "sender_address": ADDRESS,
        "canonical": True,
        "block_hash": "0x" + "cd" * 32,
        "block_height": 12,
        "block_time": 1_760_000_000,
        "burn_block_height": 5,
        "tx_result": {"hex": "0x" + encode(OkValue(UIntValue(3))).hex(), "repr": "(ok u3)"},
        "event_count": 0,
        "events": [],
        "vm_error": None,
        "execution_cost_read_count": 1,
        "execution_cost_read_length": 2,
        "execution_cost_runtime": 3,
        "execution_cost_write_count": 4,
        "execution_cost_write_length": 5,
        "contract_call": {"contract_id": CONTRACT, "function_name": "create-offer"},
    }
    return {**answer, **changes}


class TestNodeExamples:
    """The responses in the node's own documentation."""

    def test_info(self) -> None:
        info = read(node.info(), example("node-info"))
        assert info.network_id == 1
        assert info.stacks_tip_height == 1_832_097
        assert info.tenure_height == 523
        assert info.is_fully_synced is False

    def test_pox(self) -> None:
        pox = read(node.pox(), example("pox-info"))
        assert pox.contract_id == "SP000000000000000000002Q6VF78.pox"
        assert pox.min_amount_ustx == 70_000_000_000
        assert pox.current_cycle.is_pox_active is True
        assert pox.next_cycle.is_pox_active is None
        assert [epoch.epoch_id for epoch in pox.epochs] == ["Epoch0", "Epoch1"]
        assert pox.epochs[0].block_limit.read_length_bytes == 100_000_000

    def test_health(self) -> None:
        health = read(node.health(), example("node-health"))
        assert health.node_stacks_tip_height == 12_345
        assert health.max_stacks_neighbor_address == "127.0.0.1:8080"

    def test_account(self) -> None:
        account = read(node.account(ADDRESS), example("account-data"))
        assert (account.balance_ustx, account.nonce, account.unlock_height) == (500_000, 2867, 126)

    def test_fee_estimate(self) -> None:
        estimate = read(node.fee_estimate(b"\x00", 180), example("fee-transaction-response"))
        assert (estimate.low_ustx, estimate.middle_ustx, estimate.high_ustx) == (17, 125, 140)
        assert estimate.cost.runtime == 7_175_000

    def test_contract_interface(self) -> None:
        interface = read(node.contract_interface(CONTRACT), example("contract-interface"))
        transfer = interface.functions["transfer"]
        assert transfer.access == "public"
        assert [argument.name for argument in transfer.arguments] == ["amount", "sender", "recipient", "memo"]
        assert isinstance(transfer.output, ResponseType)
        assert isinstance(interface.variables["token-uri"].type, OptionalType)
        assert interface.fungible_tokens == ("sbtc-token", "sbtc-token-locked")

    def test_contract_source(self) -> None:
        source = read(node.contract_source(CONTRACT), example("contract-source"))
        assert source.publish_height == 3196
        assert source.source.startswith("(define-constant sender")

    def test_call_read(self) -> None:
        endpoint = node.call_read(CONTRACT, "get-offer", [])
        assert read(endpoint, example("read-only-function-success")) == encode(UIntValue(1))
        with pytest.raises(CallReadError, match="NotReadOnly; it writes") as caught:
            read(endpoint, example("read-only-function-failure"))
        assert caught.value.cause == "NotReadOnly"

    def test_an_err_from_a_read_only_function_is_a_result(self) -> None:
        raw = encode(ErrValue(UIntValue(4)))
        assert read(node.call_read(CONTRACT, "f", []), {"okay": True, "result": f"0x{raw.hex()}"}) == raw

    def test_a_map_entry_is_returned_without_its_some(self) -> None:
        data = example("clarity-data")["data"]
        assert read(node.map_entry(CONTRACT, "m", b"\x03"), {"data": data}) == bytes.fromhex(data[4:])
        assert read(node.map_entry(CONTRACT, "m", b"\x03"), {"data": "0x09"}) is None

    def test_constant(self) -> None:
        assert read(node.constant_val(CONTRACT, "ERR_X"), example("constant-value")).hex() == "01ce0123456789abcdef"

    def test_transaction(self) -> None:
        transaction = read(node.transaction(TXID), example("get-transaction"))
        assert transaction.result_text == "(ok true)"
        assert transaction.raw[:1] == b"\x80"
        assert transaction.block_height is None

    def test_block(self) -> None:
        real = json.loads((EXAMPLES.parent / "blocks_real.json").read_text())[1]
        raw, block_id = bytes.fromhex(real["raw"]), real["block_id"]
        by_height, by_id = node.block(real["height"]), node.block(f"0x{block_id.upper()}")
        assert (by_height.request.path, by_id.request.path) == ("/v3/blocks/height/8665568", f"/v3/blocks/{block_id}")
        for endpoint in (by_height, by_id):
            assert endpoint.read(HttpResponse(200, raw, URL, "application/octet-stream")).header.block_id == block_id
        with pytest.raises(NotFoundError):
            read_text(by_id, f"No such block {block_id}\n", 404)
        with pytest.raises(NodeResponseError, match="not a block"):
            by_id.read(HttpResponse(200, raw[:-1], URL, "application/octet-stream"))
        for other in (node.block(8665567), node.block("ab" * 32)):
            with pytest.raises(NodeResponseError, match=f"{block_id} at height 8665568 came"):
                other.read(HttpResponse(200, raw, URL, "application/octet-stream"))
        for wrong in (-1, True, "latest", "ab"):
            with pytest.raises(InvalidValueError, match="block"):
                node.block(wrong)

    def test_rejection(self) -> None:
        refusal = example("transaction-submission-error")
        with pytest.raises(NodeResponseError, match="not the transaction sent"):
            read(node.send(b"bytes"), refusal, status=400)
        with pytest.raises(TransactionRejectedError) as caught:
            read(node.send(b"bytes"), {**refusal, "txid": node.compute_txid(b"bytes")}, status=400)
        error = caught.value
        assert error.reason == "BadNonce"
        assert error.data["expected"] == 0
        assert error.txid == node.compute_txid(b"bytes")
        assert "nonce is 4" in str(error)
        assert "is at 0" in str(error)
        assert "ST2ZRX0K27GW0SP3GJCEMHD95TQGJMKB7G9Y0X1MH" in str(error)
        assert URL in str(error)


class TestRequests:
    def test_paths_and_queries(self) -> None:
        request = node.account(CONTRACT, tip="latest").request
        assert (request.method, request.path) == ("GET", f"/v2/accounts/{CONTRACT}")
        assert request.query == (("proof", "0"), ("tip", "latest"))
        assert node.data_var(CONTRACT, "is-paused?").request.path == f"/v2/data_var/{ADDRESS}/market/is-paused%3F"
        assert api.transaction(f"0x{TXID.upper()}").request.path == f"/extended/v1/tx/0x{TXID}"
        assert api.block(5).request.path == "/extended/v2/blocks/5"
        assert api.block("AB" * 32).request.path == f"/extended/v2/blocks/0x{TXID}"

    def test_call_read_body(self) -> None:
        request = node.call_read(CONTRACT, "get-offer", [b"\x03"], sponsor=ADDRESS).request
        assert json.loads(request.body) == {"sender": ADDRESS, "sponsor": ADDRESS, "arguments": ["03"]}
        assert request.repeatable
        assert not node.send(b"x").request.repeatable

    def test_map_entry_body_is_a_json_string(self) -> None:
        assert json.loads(node.map_entry(CONTRACT, "m", b"\x01\x02").request.body) == "0102"

    @pytest.mark.parametrize("tip", ["newest", "ab", "0x" + "g" * 64])
    def test_a_tip_that_the_node_would_silently_ignore_is_rejected(self, tip: str) -> None:
        with pytest.raises(InvalidValueError, match="tip"):
            node.account(ADDRESS, tip=tip)

    @pytest.mark.parametrize("txid", ["", "12", "x" * 64, "ab" * 33])
    def test_an_invalid_txid_is_rejected(self, txid: str) -> None:
        with pytest.raises(InvalidValueError, match="64 hexadecimal"):
            api.transaction(txid)

    def test_principals_are_spelt_canonically(self) -> None:
        assert node.account(ADDRESS.lower()).request.path == f"/v2/accounts/{ADDRESS}"
        for endpoint in (
            node.call_read(CONTRACT, "f", [], sender=ADDRESS.lower(), sponsor=ADDRESS.lower()),
            devnet.simulate_call(CONTRACT, "f", [], sender=ADDRESS.lower()),
        ):
            assert ADDRESS.lower().encode() not in endpoint.request.body

    def test_invalid_names_and_ids_never_reach_the_path(self) -> None:
        with pytest.raises(AddressError):
            node.account("../../secret")
        with pytest.raises(InvalidValueError, match="has no name"):
            node.contract_source(ADDRESS)
        with pytest.raises(InvalidValueError):
            node.call_read(CONTRACT, "a b", [])
        with pytest.raises(InvalidValueError, match="out of range for block height: at least 0"):
            api.block(-1)
        with pytest.raises(InvalidValueError, match="block height"):
            api.block(True)
        with pytest.raises(InvalidValueError, match="txid: expected 64 hexadecimal digits, got None"):
            api.transaction(None)  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (lambda: node.check_txid("ab" * 31), "txid: expected 64 hexadecimal digits, got 62 digits"),
            (lambda: node.check_txid("xy" * 32), "got 64 characters that are not all hexadecimal digits"),
            (lambda: api.block("xyz"), "block: expected a height, a hash of .* or 'latest', got 'xyz'"),
            (lambda: node.account(ADDRESS, tip=5), "tip 5 is neither 'latest' nor a block id"),  # type: ignore[arg-type]
            (lambda: node.fee_estimate(None, 5), r"payload.* bytes, .*payload\.encode\(\)"),  # type: ignore[arg-type]
            (lambda: node.fee_estimate(b"x", "5"), "length_bytes: expected"),  # type: ignore[arg-type]
            (lambda: devnet.simulate_transaction(None), r"transaction\.encode\(\)"),  # type: ignore[arg-type]
            (lambda: trace.trace(None), "txid: expected 64 hexadecimal digits, got None"),  # type: ignore[arg-type]
        ],
    )
    def test_what_cannot_be_asked_for_is_refused_by_name(self, make: Callable[[], object], message: str) -> None:
        with pytest.raises(InvalidValueError, match=message):
            make()

    @pytest.mark.parametrize(
        ("endpoint", "words"),
        [
            (node.contract_source(CONTRACT), f"the contract {CONTRACT}"),
            (node.data_var(CONTRACT, "is-on?"), rf"the contract {CONTRACT} or its variable is-on\?"),
            (node.transaction(TXID), f"the transaction {TXID}"),
            (node.block(5), "the block 5"),
            (api.block("latest"), "the block latest"),
            (api.blocks(), "what was asked for"),
        ],
    )
    def test_what_the_node_does_not_know_is_named(self, endpoint: Endpoint[Any], words: str) -> None:
        response = HttpResponse(404, b"no", f"http://node.test{endpoint.request.path}")
        with pytest.raises(NotFoundError, match=rf"does not know {words} \(HTTP 404\): 'no'"):
            endpoint.read(response)


class TestStrictness:
    """Wrong types and missing fields: one error type that names the field and the URL."""

    @pytest.mark.parametrize(
        ("endpoint", "good", "field", "bad"),
        [
            (node.info(), example("node-info"), "network_id", "1"),
            (node.info(), example("node-info"), "network_id", True),
            (node.info(), example("node-info"), "network_id", -1),
            (node.info(), example("node-info"), "stacks_tip", "zz"),
            (node.account(ADDRESS), example("account-data"), "balance", "0x" + "f" * 33),
            (node.account(ADDRESS), example("account-data"), "balance", 5),
            (node.account(ADDRESS), example("account-data"), "nonce", 1.5),
            (node.account(ADDRESS), example("account-data"), "nonce", None),
            (node.fee_estimate(b"", 1), example("fee-transaction-response"), "estimations", [{"fee": 1}]),
            (node.fee_estimate(b"", 1), example("fee-transaction-response"), "estimations", {"fee": 1}),
            (node.contract_source(CONTRACT), example("contract-source"), "source", 3),
            (node.pox(), example("pox-info"), "current_cycle", []),
            (node.call_read(CONTRACT, "f", []), example("read-only-function-success"), "result", "0x0"),
            (node.call_read(CONTRACT, "f", []), example("read-only-function-success"), "okay", "yes"),
            (node.map_entry(CONTRACT, "m", b""), {"data": "0x09"}, "data", "0x03"),
            (api.transaction(TXID), transaction_answer(), "tx_id", "0x" + "cd" * 32),
            (api.transaction(TXID), transaction_answer(), "tx_status", "maybe"),
            (api.transaction(TXID), transaction_answer(), "fee_rate", "-1"),
            (api.transaction(TXID), transaction_answer(), "fee_rate", "1" * 40),
            (api.transaction(TXID), transaction_answer(), "block_height", None),
            (api.transaction(TXID), transaction_answer(), "block_time", 1 << 60),
            (api.transaction(TXID), transaction_answer(), "canonical", 1),
            (api.transaction(TXID), transaction_answer(), "events", {}),
        ],
    )
    def test_the_error_names_the_field_and_the_url(
        self, endpoint: Endpoint[Any], good: dict[str, Any], field: str, bad: Any
    ) -> None:
        read(endpoint, good)
        with pytest.raises(NodeResponseError, match=f"field {field}") as caught:
            read(endpoint, {**good, field: bad})
        assert URL in str(caught.value)

    def test_the_error_names_the_path_of_a_nested_field(self) -> None:
        def event(amount: str) -> dict[str, Any]:
            asset = {"asset_event_type": "transfer", "amount": amount}
            return {"event_index": 0, "event_type": "stx_asset", "asset": asset}

        answer = transaction_answer(events=[event("1"), event("x")])
        with pytest.raises(NodeResponseError, match=r"events\[1\]\.asset\.amount is 'x'"):
            read(api.transaction(TXID), answer)

    def test_a_missing_field_is_named(self) -> None:
        answer = example("node-info")
        del answer["network_id"]
        with pytest.raises(NodeResponseError, match="field network_id is missing"):
            read(node.info(), answer)

    def test_an_invalid_type_in_an_interface_is_an_error(self) -> None:
        interface = {
            "functions": [],
            "variables": [{"name": "x", "access": "variable", "type": {"list": 3}}],
            "maps": [],
            "fungible_tokens": [],
            "non_fungible_tokens": [],
        }
        with pytest.raises(NodeResponseError, match=r"field variables\.x\.type is .* is not a type of a con"):
            read(node.contract_interface(CONTRACT), interface)

    @pytest.mark.parametrize("body", [b"", b"\xff", b"[" * 100_000, b"NaN", b"9" * 5000, b'"text"', b"null", b"[]"])
    def test_a_body_that_is_not_a_json_object_is_an_error(self, body: bytes) -> None:
        with pytest.raises(NodeResponseError):
            node.info().read(HttpResponse(200, body, URL))

    def test_a_web_page_is_recognized(self) -> None:
        for status in (200, 404, 502):
            with pytest.raises(NodeResponseError, match="check that the URL is that of a Stacks node"):
                node.info().read(HttpResponse(status, b"<!DOCTYPE html><html>", URL, "text/html"))

    def test_terminal_escapes_do_not_reach_the_message(self) -> None:
        with pytest.raises(NodeResponseError) as caught:
            read_text(node.info(), "\x1b[2Jgone\n", 500)
        assert "\x1b" not in str(caught.value)
        assert "gone" in str(caught.value)

    def test_http_404_is_a_not_found_error(self) -> None:
        with pytest.raises(NotFoundError, match="No contract source data found"):
            read_text(node.contract_source(CONTRACT), "No contract source data found", 404)

    def test_http_401_is_an_error_that_says_what_to_do(self) -> None:
        with pytest.raises(NodeResponseError, match=r"Client\(headers=…\)"):
            read_text(node.info(), "no", 401)


class TestFees:
    @pytest.mark.parametrize(
        ("status", "value"),
        [
            (400, {"error": "no", "reason": "NoEstimateAvailable", "reason_data": {}}),
            (400, "Fee estimation not supported on this node"),
            (404, {"error": "not found"}),
        ],
    )
    def test_a_node_without_an_estimate_returns_none(self, status: int, value: Any) -> None:
        assert read(node.fee_estimate(b"\x00", 180), value, status) is None

    def test_the_transfer_rate_must_be_a_whole_number(self) -> None:
        assert read(node.transfer_fee_rate(), 1) == 1
        for odd in ("1", 1.5, -1, None, True, 1 << 70):
            with pytest.raises(NodeResponseError):
                read(node.transfer_fee_rate(), odd)


class TestSending:
    RAW = b"a transaction"

    def test_the_returned_txid_must_match_the_transaction(self) -> None:
        txid = node.compute_txid(self.RAW)
        assert read(node.send(self.RAW), txid) == txid
        assert read(node.send(self.RAW), f"0x{txid}") == txid
        with pytest.raises(NodeResponseError, match="do not use this URL"):
            read(node.send(self.RAW), TXID)
        for odd in (None, 3, "ok", {"txid": txid}):
            with pytest.raises(NodeResponseError, match="expected the transaction's id"):
                read(node.send(self.RAW), odd)

    def test_the_txid_is_sha512_256(self) -> None:
        # "abc" from NIST's example for SHA-512/256
        assert node.compute_txid(b"abc") == "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23"

    @pytest.mark.parametrize(
        ("reason", "data", "words"),
        [
            ("FeeTooLow", {"expected": 190, "actual": 10}, ["10 µSTX", "at least 190", "higher fee"]),
            (
                "NotEnoughFunds",
                {"expected": "0x00000000000000000000000000000fff", "actual": "0x0000000000000000000000000000000a"},
                ["4095 µSTX", "10", "fund the account"],
            ),
            ("NotEnoughFunds", {"expected": "junk"}, ["needs ?"]),
            (
                "TooMuchChaining",
                {"expected": 3, "actual": 40, "principal": ADDRESS, "is_origin": False, "message": "m"},
                ["sponsor", ADDRESS, "40", "may wait now is 3"],
            ),
            ("ConflictingNonceInMempool", None, ["is waiting", "higher fee"]),
            ("ContractAlreadyExists", {"contract_identifier": CONTRACT}, [CONTRACT, "another name"]),
            ("NoSuchContract", None, ["not on this network"]),
            ("NoSuchPublicFunction", None, ["no public function"]),
            ("BadFunctionArgument", {"message": "expected uint"}, ["expected uint", "signature"]),
            ("SignatureValidation", {"message": "bad"}, ["another network"]),
            ("TransferRecipientCannotEqualSender", {"recipient": ADDRESS}, [ADDRESS]),
            ("TransferAmountMustBePositive", None, ["at least 1 µSTX"]),
            ("BadAddressVersionByte", None, ["another network"]),
            (
                "BadFunctionArgument",
                {"message": "TypeError(UIntType, BoolType)"},
                ["signature", "(UIntType, BoolType)"],
            ),
            (
                "BadFunctionArgument",
                {"message": 'BadTraitImplementation("shop-trait", "buy!")'},
                ["a contract among the arguments does not implement the trait shop-trait", "function buy! is missing"],
            ),
            ("ServerFailureOther", {"message": "disk"}, ["disk", "later"]),
            ("SomethingNew", {"a": 1}, ["does not know", "{'a': 1}"]),
            ("\x1b[2JOdd", None, ["([2JOdd)"]),
        ],
    )
    def test_rejections_are_explained_in_plain_words(self, reason: str, data: Any, words: list[str]) -> None:
        answer = {"error": "transaction rejected", "reason": reason, "txid": node.compute_txid(self.RAW)}
        if data is not None:
            answer["reason_data"] = data
        with pytest.raises(TransactionRejectedError) as caught:
            read(node.send(self.RAW), answer, 400)
        assert caught.value.reason == reason
        assert caught.value.data == (data or {})
        for word in words:
            assert word in str(caught.value)

    @pytest.mark.parametrize(
        ("reason", "words"),
        [
            ("NoSuchPublicFunction", f"{CONTRACT} has no public function sell"),
            ("NoSuchContract", f"the contract {CONTRACT} is not on this network"),
            ("NotEnoughFunds", "the account ST[0-9A-Z]+ has"),
        ],
    )
    def test_a_rejection_names_account_contract_and_function(self, reason: str, words: str) -> None:
        key = PrivateKey.generate()
        call = ContractCall(CONTRACT, "sell")
        raw = Transaction.build(call, public_key=key.public_key, network=DEVNET, nonce=0, fee=1).sign(key).encode()
        answer = {"error": "transaction rejected", "reason": reason, "txid": node.compute_txid(raw)}
        with pytest.raises(TransactionRejectedError, match=words) as caught:
            read(node.send(raw), answer, 400)
        assert caught.value.data == {}

    @pytest.mark.parametrize("reason", REJECTIONS)
    @pytest.mark.parametrize("value", [None, "", -1, [], {"a": 1}, "x" * 1000])
    def test_every_rejection_is_explained_whatever_its_data(self, reason: str, value: Any) -> None:
        names = ("actual", "expected", "principal", "is_origin", "message", "recipient", "contract_identifier")
        for data in ({}, dict.fromkeys(names, value)):
            words = explain_rejection(reason, data)
            assert "does not know" not in words
            assert 20 < len(words) < 800

    def test_reason_data_of_the_wrong_type_is_an_error(self) -> None:
        txid = node.compute_txid(self.RAW)
        with pytest.raises(NodeResponseError, match="reason_data"):
            read(node.send(self.RAW), {"reason": "FeeTooLow", "reason_data": [1], "txid": txid}, 400)

    @pytest.mark.parametrize("amount", ["Infinity", "1e999", "-1", '"0x' + "f" * 33 + '"', '"-0x5"', '"0x_1"', "true"])
    def test_invalid_amounts_in_a_rejection_are_a_typed_error(self, amount: str) -> None:
        """Infinity is not JSON; any other invalid amount is left out of the message."""
        body = (
            f'{{"error": "transaction rejected", "reason": "NotEnoughFunds", "txid": "{node.compute_txid(self.RAW)}", '
            f'"reason_data": {{"expected": {amount}, "actual": 5}}}}'
        )
        with pytest.raises(NodeError, match=r"needs \? µSTX|not JSON"):
            read_text(node.send(self.RAW), body, 400)

    def test_plain_text_is_not_a_rejection(self) -> None:
        with pytest.raises(NodeResponseError, match="HTTP 400: 'Failed"):
            read_text(node.send(self.RAW), "Failed to deserialize posted transaction", 400)


class TestApi:
    def test_mined_transaction(self) -> None:
        receipt = read(api.transaction(TXID), transaction_answer())
        assert isinstance(receipt, TransactionReceipt)
        assert receipt.status is TransactionStatus.SUCCESS
        assert receipt.result == OkValue(UIntValue(3))
        assert receipt.block_time == datetime(2025, 10, 9, 8, 53, 20, tzinfo=UTC)
        assert receipt.fee_ustx == 400
        assert receipt.cost is not None
        assert receipt.cost.write_length_bytes == 5
        assert (receipt.contract_id, receipt.function) == (CONTRACT, "create-offer")

    def test_pending_transaction(self) -> None:
        answer = transaction_answer(tx_status="pending")
        for field in (
            "block_hash",
            "block_height",
            "block_time",
            "tx_result",
            "events",
            "canonical",
            "burn_block_height",
        ):
            del answer[field]
        info = read(api.transaction(TXID), answer)
        assert not isinstance(info, TransactionReceipt)
        assert info.status is TransactionStatus.PENDING
        assert info.result is None
        assert not info.status.is_mined
        assert not info.status.is_dropped

    @pytest.mark.parametrize("status", [status for status in TransactionStatus if status.startswith("dropped")])
    def test_dropped_transaction(self, status: TransactionStatus) -> None:
        info = read(api.transaction(TXID), transaction_answer(tx_status=status.value))
        assert info.status.is_dropped
        assert not isinstance(info, TransactionReceipt)

    def test_events(self) -> None:
        def event(index: int, kind: str, **rest: Any) -> dict[str, Any]:
            return {"event_index": index, "event_type": kind, "tx_id": f"0x{TXID}", **rest}

        value = {"hex": "0x" + encode(UIntValue(9)).hex(), "repr": "u9"}
        asset = {"asset_event_type": "transfer", "asset_id": f"{CONTRACT}::t", "sender": ADDRESS, "recipient": CONTRACT}
        printed = {"contract_id": CONTRACT, "topic": "print", "value": value}
        log, stx, burn, ft, nft, lock = read(
            api.transaction(TXID),
            transaction_answer(
                events=[
                    event(0, "smart_contract_log", contract_log=printed),
                    event(1, "stx_asset", asset={**asset, "amount": "5", "memo": "0x686900"}),
                    event(2, "stx_asset", asset={"asset_event_type": "burn", "sender": ADDRESS, "amount": "6"}),
                    event(3, "fungible_token_asset", asset={**asset, "amount": "7"}),
                    event(4, "non_fungible_token_asset", asset={**asset, "value": value}),
                    event(5, "stx_lock", stx_lock_event={"locked_amount": "1"}),
                ]
            ),
        ).events
        assert isinstance(log, ContractLogEvent)
        assert (log.value, log.event_index, log.txid) == (UIntValue(9), 0, TXID)
        assert isinstance(stx, StxEvent)
        assert (stx.action, stx.sender, stx.recipient, stx.amount_ustx) == ("transfer", ADDRESS, CONTRACT, 5)
        assert stx.memo == b"hi"
        assert isinstance(burn, StxEvent)
        assert (burn.action, burn.recipient, burn.memo) == ("burn", "", b"")
        assert isinstance(ft, FungibleTokenEvent)
        assert ft.amount == 7
        assert isinstance(nft, NonFungibleTokenEvent)
        assert nft.value == UIntValue(9)
        assert isinstance(lock, OtherEvent)
        assert lock.data["stx_lock_event"] == {"locked_amount": "1"}

    def test_nonces(self) -> None:
        nonces = read(
            api.nonces(ADDRESS),
            {
                "last_executed_tx_nonce": None,
                "last_mempool_tx_nonce": 4,
                "possible_next_nonce": 5,
                "detected_missing_nonces": [2, 1],
                "detected_mempool_nonces": [0],
            },
        )
        assert (nonces.last_executed, nonces.last_in_mempool, nonces.possible_next) == (None, 4, 5)
        assert nonces.missing == (2, 1)

    def test_balances(self) -> None:
        balances = read(
            api.balances(ADDRESS),
            {
                "stx": {"balance": "100000000000000", "locked": "5", "total_sent": "0"},
                "fungible_tokens": {f"{CONTRACT}::t": {"balance": "3", "total_sent": "0"}},
                "non_fungible_tokens": {f"{CONTRACT}::n": {"count": "2"}},
            },
        )
        assert balances.stx_ustx == 100_000_000_000_000
        assert balances.locked_ustx == 5
        assert balances.fungible_tokens == {f"{CONTRACT}::t": 3}
        assert balances.non_fungible_tokens == {f"{CONTRACT}::n": 2}

    def test_blocks(self) -> None:
        block = {"height": 3, "hash": "0x" + "01" * 32, "block_time": 1_760_000_000, "tx_count": 2, "new_field": []}
        assert read(api.block(), block).block_time.year == 2025
        page = read(api.blocks(1), {"limit": 1, "offset": 0, "total": 4, "results": [block]})
        assert page.total == 4
        assert page.blocks[0].height == 3

    def test_logs(self) -> None:
        value = {"hex": "0x03", "repr": "true"}
        log = {
            "event_index": 2,
            "event_type": "smart_contract_log",
            "tx_id": f"0x{TXID}",
            "contract_log": {"contract_id": CONTRACT, "topic": "print", "value": value},
            "block_height": 9,
            "block_time": 1_760_000_000,
        }
        page = read(api.contract_logs(CONTRACT), {"limit": 1, "total": 2, "results": [log], "next_cursor": "9:0"})
        assert page.next_cursor == "9:0"
        assert page.events[0].block_height == 9
        assert page.events[0].raw_value == b"\x03"


def test_the_package_exports_every_answer() -> None:
    classes = {
        name
        for name, kind in vars(responses).items()
        if isclass(kind) and kind.__module__ == responses.__name__ and not name.startswith("_")
    }
    missing = classes - set(rpc.__all__)
    assert not missing, f"der_client/stacks/rpc/__init__.py does not export {sorted(missing)}"


class TestDevnet:
    def test_deployer(self) -> None:
        assert read(devnet.deployer(), {"deployer": ADDRESS, "more": 1}) == ADDRESS
        for odd in (None, "", CONTRACT, 5):
            with pytest.raises(NodeResponseError, match="field deployer"):
                read(devnet.deployer(), {"deployer": odd})

    @pytest.mark.parametrize("status", [403, 404, 405])
    def test_any_other_node_has_no_deployer(self, status: int) -> None:
        with pytest.raises(NotFoundError, match="not an embedded devnet"):
            read_text(devnet.deployer(), "<html>", status)

    def test_only_the_devnet_can_simulate(self) -> None:
        endpoint = devnet.simulate_transaction(b"\x80")
        with pytest.raises(SimulationUnavailableError, match="embedded devnet"):
            read_text(endpoint, "not found", 404)

    def test_the_result_of_a_simulation_is_read(self) -> None:
        result = read(
            devnet.simulate_call(CONTRACT, "f", [b"\x03"], sender=ADDRESS),
            {
                "ok": True,
                "status": "success",
                "result": {"hex": "0x0703", "repr": "(ok true)"},
                "events": [],
                "cost": {"read_count": 1, "read_length": 2, "runtime": 3, "write_count": 4, "write_length": 5},
                "vm_error": None,
            },
        )
        assert str(result.result) == "(ok true)"
        assert result.cost.runtime == 3

    def test_a_rejected_simulation_is_an_error(self) -> None:
        answer = {"txid": TXID, "error": "transaction rejected", "reason": "NoSuchContract"}
        with pytest.raises(TransactionRejectedError, match="not on this network") as caught:
            read(devnet.simulate_transaction(b"\x80"), answer, 400)
        assert caught.value.txid == TXID
        with pytest.raises(NodeResponseError, match="an argument"):
            read(devnet.simulate_transaction(b"\x80"), {"error": "an argument is no hex"}, 400)
