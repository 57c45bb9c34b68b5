"""Effects of a mined transaction: fees, nonces, changes of the state, and changes that are rolled back."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from der_client.stacks.clarity import BufferValue, ErrValue, NoneValue, PrincipalValue, UIntValue, decode, encode
from der_client.stacks.transactions import (
    ORIGIN,
    ContractCall,
    ContractPublish,
    FtPostCondition,
    FungibleCode,
    NftPostCondition,
    NonFungibleCode,
    PostCondition,
    PostConditionMode,
    PoxCode,
    PoxPostCondition,
    StakingPostCondition,
    StxPostCondition,
)

from .bare_devnet import AMPLE_FEE, START, BareDevnet

if TYPE_CHECKING:
    from collections.abc import Sequence

MAINNET_BOOT = "SP000000000000000000002Q6VF78"
DENY, ALLOW, ORIGINATOR = PostConditionMode.DENY, PostConditionMode.ALLOW, PostConditionMode.ORIGINATOR


def exactly(ustx: int) -> StxPostCondition:
    return StxPostCondition(ORIGIN, FungibleCode.EQUAL, ustx)


def to(bare: BareDevnet, number: int) -> PrincipalValue:
    return PrincipalValue(bare.account(number).address)


def test_transfer_moves_amount_and_fee(bare: BareDevnet) -> None:
    sender, recipient = bare.account(1), bare.account(2)
    before = bare.balance(sender.address), bare.balance(recipient.address)
    receipt = bare.transfer(sender, recipient.address, 1_234, fee=400)
    assert receipt["tx_status"] == "success"
    assert receipt["tx_result"] == {"hex": "0x0703", "repr": "(ok true)"}
    assert receipt["fee_rate"] == "400"
    assert bare.balance(sender.address) == before[0] - 1_634
    assert bare.balance(recipient.address) == before[1] + 1_234
    assert bare.nonce(sender.address) == 1
    assert bare.nonce(recipient.address) == 0


def test_call_changes_state_and_reports_events_and_cost(bare: BareDevnet) -> None:
    receipt = bare.call(bare.account(1), "increment", UIntValue(5))
    assert receipt["tx_status"] == "success"
    assert receipt["tx_result"]["repr"] == "(ok u5)"
    assert bare.counter() == 5
    (event,) = receipt["events"]
    assert event["event_type"] == "smart_contract_log"
    assert event["contract_log"]["contract_id"] == bare.probe
    time, height = receipt["block_time"], receipt["block_height"]
    expected = f'(tuple (at u{time}) (by u5) (height u{height}) (topic "incremented"))'
    assert event["contract_log"]["value"]["repr"] == expected
    assert receipt["execution_cost_write_count"] == 1
    assert receipt["execution_cost_runtime"] > 0
    assert receipt["contract_call"]["function_signature"] == "(define-public (increment (by uint)))"
    assert receipt["contract_call"]["function_args"] == [
        {"hex": "0x" + encode(UIntValue(5)).hex(), "repr": "u5", "name": "by", "type": "uint"}
    ]


def test_error_response_rolls_back_all_but_fee_and_nonce(bare: BareDevnet) -> None:
    sender = bare.account(1)
    before = bare.balance(sender.address)
    receipt = bare.call(sender, "refuse", UIntValue(5))
    assert receipt["tx_status"] == "abort_by_response"
    assert receipt["tx_result"]["repr"] == "(err u77)"
    assert receipt["vm_error"] is None
    assert receipt["events"] == []
    assert bare.counter() == 0
    assert bare.balance(sender.address) == before - AMPLE_FEE
    assert bare.nonce(sender.address) == 1


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        (exactly(0), "abort_by_response"),
        (StxPostCondition(ORIGIN, FungibleCode.LESS_EQUAL, 100), "abort_by_response"),
        (exactly(100), "abort_by_post_condition"),
        (StxPostCondition(ORIGIN, FungibleCode.GREATER, 0), "abort_by_post_condition"),
    ],
)
@pytest.mark.parametrize("mode", [DENY, ALLOW])
def test_post_conditions_are_checked_after_an_error_response(
    bare: BareDevnet, condition: PostCondition, status: str, mode: PostConditionMode
) -> None:
    sender = bare.account(1)
    before = bare.balance(sender.address)
    receipt = bare.call(sender, "refuse", UIntValue(5), post_conditions=(condition,), mode=mode)
    assert receipt["tx_status"] == status
    assert receipt["tx_result"]["repr"] == "(err u77)"
    assert (receipt["vm_error"] is None) is (status == "abort_by_response")
    assert receipt["events"] == []
    assert bare.counter() == 0
    assert bare.balance(sender.address) == before - AMPLE_FEE
    assert bare.nonce(sender.address) == 1


def test_post_conditions_are_not_checked_after_a_runtime_error(bare: BareDevnet) -> None:
    receipt = bare.call(bare.account(1), "increment-and-divide", UIntValue(5), post_conditions=(exactly(100),))
    assert receipt["tx_status"] == "abort_by_response"
    assert receipt["tx_result"]["repr"] == "(err none)"


def test_runtime_error_rolls_back_all_but_fee_and_nonce(bare: BareDevnet) -> None:
    sender = bare.account(1)
    before = bare.balance(sender.address)
    receipt = bare.call(sender, "increment-and-divide", UIntValue(5))
    assert receipt["tx_status"] == "abort_by_response"
    assert decode(bytes.fromhex(receipt["tx_result"]["hex"][2:])) == ErrValue(NoneValue())
    frames = (f"{bare.probe}:increment-and-divide", "_native_:native_div")
    assert receipt["vm_error"] == "\n".join(("DivisionByZero", " Stack Trace: ", *frames, ""))
    assert bare.counter() == 0
    assert bare.balance(sender.address) == before - AMPLE_FEE
    assert bare.nonce(sender.address) == 1
    assert bare.call(sender, "increment", UIntValue(2))["tx_status"] == "success"
    assert bare.counter() == 2


def test_each_transaction_has_its_own_block_ten_seconds_later(bare: BareDevnet) -> None:
    first = bare.transfer(bare.account(1), bare.account(2).address, 1)
    second = bare.transfer(bare.account(1), bare.account(2).address, 1)
    assert second["block_height"] == first["block_height"] + 1
    assert second["block_time"] == first["block_time"] + 10
    assert first["block_time"] >= START


@pytest.mark.parametrize(
    ("conditions", "mode", "status"),
    [
        ((exactly(500),), DENY, "success"),
        ((exactly(499),), DENY, "abort_by_post_condition"),
        ((), DENY, "abort_by_post_condition"),
        ((), ORIGINATOR, "abort_by_post_condition"),
        ((), ALLOW, "success"),
        ((exactly(501),), ALLOW, "abort_by_post_condition"),
        ((StxPostCondition(ORIGIN, FungibleCode.LESS_EQUAL, 500),), DENY, "success"),
        ((StxPostCondition(ORIGIN, FungibleCode.LESS, 500),), DENY, "abort_by_post_condition"),
        ((StxPostCondition(ORIGIN, FungibleCode.GREATER_EQUAL, 500),), DENY, "success"),
        ((StxPostCondition(ORIGIN, FungibleCode.GREATER, 500),), DENY, "abort_by_post_condition"),
        ((exactly(500), StakingPostCondition(ORIGIN, FungibleCode.EQUAL, 0)), DENY, "success"),
        ((exactly(500), StakingPostCondition(ORIGIN, FungibleCode.GREATER, 0)), DENY, "abort_by_post_condition"),
    ],
)
@pytest.mark.parametrize("function", ["pay", "pay-with-memo"])
def test_post_conditions_on_stx(
    bare: BareDevnet, function: str, conditions: Sequence[PostCondition], mode: PostConditionMode, status: str
) -> None:
    sender, recipient = bare.account(1), bare.account(2)
    before = bare.balance(sender.address), bare.balance(recipient.address)
    receipt = bare.call(sender, function, UIntValue(500), to(bare, 2), post_conditions=conditions, mode=mode)
    assert receipt["tx_status"] == status
    moved = 500 if status == "success" else 0
    assert receipt["event_count"] == (1 if moved else 0)
    assert bare.balance(sender.address) == before[0] - moved - AMPLE_FEE
    assert bare.balance(recipient.address) == before[1] + moved
    assert bare.nonce(sender.address) == 1
    # The VM agrees with the account endpoint.
    for account in (sender, recipient):
        assert bare.read("get-balance", PrincipalValue(account.address)) == UIntValue(bare.balance(account.address))


def test_post_condition_abort_keeps_the_earlier_state(bare: BareDevnet) -> None:
    sender = bare.account(1)
    for _ in range(3):
        bare.call(sender, "increment", UIntValue(1))
    receipt = bare.call(sender, "pay", UIntValue(9), to(bare, 2))
    assert receipt["tx_status"] == "abort_by_post_condition"
    assert receipt["tx_result"]["repr"] == "(ok true)"
    assert bare.counter() == 3
    assert bare.call(sender, "increment", UIntValue(1))["tx_result"]["repr"] == "(ok u4)"
    assert bare.nonce(sender.address) == 5


def test_messages_of_post_condition_aborts(bare: BareDevnet) -> None:
    """They are the same as a node's, because programs parse them."""
    sender, asset = bare.account(1), f"{bare.probe}::watt"
    plant = NftPostCondition(ORIGIN, f"{bare.probe}::plant", UIntValue(7), NonFungibleCode.NOT_SENT)
    watts = FtPostCondition(ORIGIN, asset, FungibleCode.LESS, 40)
    other = NftPostCondition(ORIGIN, f"{bare.probe}::plant", UIntValue(8), NonFungibleCode.MAYBE_SENT)
    staking = StakingPostCondition(ORIGIN, FungibleCode.GREATER, 3)
    pox = PoxPostCondition(ORIGIN, PoxCode.WILL_PERFORM)
    bare.call(sender, "mint-watt", UIntValue(100))
    bare.call(sender, "mint-plant", UIntValue(7))
    pay = ("pay", UIntValue(9), to(bare, 2))
    send_watt = ("send-watt", UIntValue(40), to(bare, 2))
    send_plant = ("send-plant", UIntValue(7), to(bare, 2))
    cases: list[tuple[Any, tuple[PostCondition, ...], str]] = [
        (pay, (exactly(8),), " on STX owned by $me: 8 SentEq 9"),
        (pay, (), ": Fungible asset S1G2081040G2081040G2081040G208105NK8PE5.__transient::STX was moved by $me $not"),
        (send_watt, (watts,), " on fungible asset $probe::watt owned by $me: 40 SentLt 40"),
        (send_watt, (), ": Fungible asset $probe::watt was moved by $me $not"),
        (send_plant, (plant,), " on non-fungible asset $probe::plant owned by $me: u7 NotSent (sent 1 value(s))"),
        (send_plant, (other,), ": Non-fungible asset $probe::plant value u7 was moved by $me $not"),
        (("look",), (staking,), " on STX staked by $me: 3 SentGt 0"),
        (("look",), (pox,), " on PoX action by $me: Performed performed=false"),
    ]
    for call, conditions, text in cases:
        receipt = bare.call(sender, *call, post_conditions=conditions)
        expected = text.replace("$me", sender.address).replace("$probe", bare.probe).replace("$not", "but not checked")
        assert (receipt["tx_status"], receipt["vm_error"]) == (
            "abort_by_post_condition",
            f"Post-condition check failure{expected}",
        )


def test_burnt_stx_count_as_sent(bare: BareDevnet) -> None:
    assert bare.call(bare.account(1), "burn", UIntValue(7))["tx_status"] == "abort_by_post_condition"
    receipt = bare.call(bare.account(1), "burn", UIntValue(7), post_conditions=(exactly(7),))
    assert receipt["tx_status"] == "success"
    assert receipt["events"][0]["asset"]["asset_event_type"] == "burn"


def test_payments_by_a_contract_need_its_own_post_condition(bare: BareDevnet) -> None:
    bare.transfer(bare.account(3), bare.probe, 1_000)
    own = StxPostCondition(bare.probe, FungibleCode.EQUAL, 300)
    assert bare.call(bare.account(1), "pay-out", UIntValue(300), to(bare, 2))["tx_status"] == (
        "abort_by_post_condition"
    )
    # Originator mode checks only assets that the sender sends.
    receipt = bare.call(bare.account(1), "pay-out", UIntValue(300), to(bare, 2), mode=ORIGINATOR)
    assert receipt["tx_status"] == "success"
    receipt = bare.call(bare.account(1), "pay-out", UIntValue(300), to(bare, 2), post_conditions=(own,))
    assert receipt["tx_status"] == "success"
    assert bare.balance(bare.probe) == 400


def test_post_conditions_on_fungible_tokens(bare: BareDevnet) -> None:
    asset = f"{bare.probe}::watt"
    sender = bare.account(1)
    assert bare.call(sender, "mint-watt", UIntValue(100))["tx_status"] == "success"  # minting sends nothing
    denied = bare.call(sender, "send-watt", UIntValue(40), to(bare, 2))
    assert denied["tx_status"] == "abort_by_post_condition"
    condition = FtPostCondition(sender.address, asset, FungibleCode.LESS_EQUAL, 40)
    allowed = bare.call(sender, "send-watt", UIntValue(40), to(bare, 2), post_conditions=(condition,))
    assert allowed["tx_status"] == "success"
    assert allowed["events"][0]["event_type"] == "fungible_token_asset"
    assert allowed["events"][0]["asset"]["asset_id"] == asset
    balances = bare.json(f"/extended/v1/address/{sender.address}/balances")
    assert balances["fungible_tokens"][asset]["balance"] == "60"


@pytest.mark.parametrize(
    ("code", "sends", "status"),
    [
        (NonFungibleCode.SENT, True, "success"),
        (NonFungibleCode.MAYBE_SENT, True, "success"),
        (NonFungibleCode.NOT_SENT, True, "abort_by_post_condition"),
        (NonFungibleCode.SENT, False, "abort_by_post_condition"),
        (NonFungibleCode.MAYBE_SENT, False, "success"),
        (NonFungibleCode.NOT_SENT, False, "success"),
        (None, True, "abort_by_post_condition"),
    ],
)
def test_post_conditions_on_non_fungible_tokens(
    bare: BareDevnet, code: NonFungibleCode | None, sends: bool, status: str
) -> None:
    sender = bare.account(1)
    bare.call(sender, "mint-plant", UIntValue(7))
    conditions = () if code is None else (NftPostCondition(ORIGIN, f"{bare.probe}::plant", UIntValue(7), code),)
    function, arguments = ("send-plant", (UIntValue(7), to(bare, 2))) if sends else ("increment", (UIntValue(1),))
    receipt = bare.call(sender, function, *arguments, post_conditions=conditions)
    assert receipt["tx_status"] == status
    owner = bare.account(2 if sends and status == "success" else 1).address
    held = bare.json(f"/extended/v1/address/{owner}/balances")["non_fungible_tokens"]
    assert held == {f"{bare.probe}::plant": {"count": "1"}}


def test_post_condition_on_another_token_id_does_not_apply(bare: BareDevnet) -> None:
    sender = bare.account(1)
    bare.call(sender, "mint-plant", UIntValue(7))
    other = NftPostCondition(ORIGIN, f"{bare.probe}::plant", UIntValue(8), NonFungibleCode.MAYBE_SENT)
    receipt = bare.call(sender, "send-plant", UIntValue(7), to(bare, 2), post_conditions=(other,))
    assert receipt["tx_status"] == "abort_by_post_condition"


def test_many_aborts_among_many_calls(bare: BareDevnet) -> None:
    """There are more transactions than between two checkpoints, with rolled-back ones throughout."""
    sender = bare.account(1)
    before = bare.balance(sender.address)
    for round_ in range(150):
        if round_ % 7 == 3:
            receipt = bare.call(sender, "pay", UIntValue(9), to(bare, 2))
            assert receipt["tx_status"] == "abort_by_post_condition"
        elif round_ % 7 == 5:
            assert bare.call(sender, "increment-and-divide", UIntValue(1))["tx_status"] == "abort_by_response"
        else:
            assert bare.call(sender, "increment", UIntValue(1))["tx_status"] == "success"
    done = sum(1 for round_ in range(150) if round_ % 7 not in (3, 5))
    assert bare.counter() == done
    assert bare.balance(sender.address) == before - 150 * AMPLE_FEE
    assert bare.read("get-balance", PrincipalValue(sender.address)) == UIntValue(before - 150 * AMPLE_FEE)


@pytest.mark.parametrize("version", [1, 2, 3, 4, 5, 6, None])
def test_publishing_in_every_clarity_version(bare: BareDevnet, version: int | None) -> None:
    publisher = bare.account(1)
    code = "(define-public (answer) (ok u42))"
    txid = bare.send(publisher, ContractPublish("versioned", code, version), mode=ALLOW)
    receipt = bare.receipt(txid)
    assert receipt["tx_status"] == "success"
    assert receipt["tx_result"]["repr"] == "(ok true)"
    interface = bare.json(f"/v2/contracts/interface/{publisher.address}/versioned")
    assert interface["clarity_version"] == f"Clarity{version or 6}"
    assert interface["epoch"] == "Epoch40"
    source = bare.json(f"/v2/contracts/source/{publisher.address}/versioned")
    assert source == {"source": code, "publish_height": receipt["block_height"], "proof": ""}


@pytest.mark.parametrize(
    "code", ["(define-constant A u1)", "(define-data-var v uint u1)", "(+ u1 u1)", "(print u1)", ""]
)
def test_contract_without_functions_is_kept(bare: BareDevnet, code: str) -> None:
    """The devnet keeps it like any other contract; the VM alone would run it and drop it."""
    publisher = bare.account(1)
    receipt = bare.receipt(bare.send(publisher, ContractPublish("bare", code, 4)))
    assert receipt["tx_status"] == "success"
    interface = bare.json(f"/v2/contracts/interface/{publisher.address}/bare")
    assert (interface["functions"], interface["clarity_version"]) == ([], "Clarity4")
    assert bare.json(f"/v2/contracts/source/{publisher.address}/bare?proof=0")["source"] == code
    found = (
        bare.get(f"/v2/data_var/{publisher.address}/bare/v").ok,
        bare.get(f"/v2/constant_val/{publisher.address}/bare/A").ok,
    )
    assert found == ("define-data-var" in code, "define-constant" in code)
    call = bare.build(publisher, ContractCall(f"{publisher.address}.bare", "f"))
    assert bare.submit(call.encode()).json()["reason"] == "NoSuchPublicFunction"
    assert bare.call(bare.account(2), "increment", UIntValue(1))["tx_status"] == "success"


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("(define-public (broken) (ok (missing)))", "missing"),
        ("(define-public (unbalanced) (ok u1)", "expected closing ')'"),
        ("(define-public (a) (ok (first)))\n(define-public (b) (ok (second)))", "use of unresolved function 'first'"),
        ("(define-public (a) (ok u1)))\n(define-data-var x uint 'x)", "invalid character, 'x', in principal literal"),
        (f"(define-public (f) (ok (contract-call? '{MAINNET_BOOT}.pox-4 get-pox-info)))", f"'{MAINNET_BOOT}.pox-4'"),
        ("(/ u1 u0)", "DivisionByZero"),
    ],
)
def test_contract_that_cannot_be_published_costs_its_fee(bare: BareDevnet, code: str, error: str) -> None:
    publisher = bare.account(1)
    receipt = bare.receipt(bare.send(publisher, ContractPublish("broken", code, 4)))
    assert receipt["tx_status"] == "abort_by_response"
    assert receipt["tx_result"]["repr"] == "(err none)"
    assert error in receipt["vm_error"]
    assert bare.get(f"/v2/contracts/source/{publisher.address}/broken").status_code == 404
    assert bare.nonce(publisher.address) == 1
    # The name is still free.
    good = bare.receipt(bare.send(publisher, ContractPublish("broken", "(define-public (fine) (ok u1))", 4)))
    assert good["tx_status"] == "success"


def test_post_conditions_are_checked_when_publishing(bare: BareDevnet) -> None:
    publisher = bare.account(1)
    code = f"(define-constant A u5) (stx-transfer? A tx-sender '{bare.account(2).address})"
    before = bare.balance(bare.account(2).address)
    receipt = bare.receipt(bare.send(publisher, ContractPublish("payer", code, 4)))
    assert receipt["tx_status"] == "abort_by_post_condition"
    assert bare.get(f"/v2/contracts/source/{publisher.address}/payer").status_code == 404
    assert bare.balance(bare.account(2).address) == before
    receipt = bare.receipt(bare.send(publisher, ContractPublish("payer", code, 4), post_conditions=(exactly(5),)))
    assert receipt["tx_status"] == "success"
    assert bare.balance(bare.account(2).address) == before + 5


def mined(bare: BareDevnet, txid: str) -> dict[str, Any]:
    """Wait for a slow transaction and return its receipt."""
    deadline = time.monotonic() + 120
    while (receipt := bare.receipt(txid))["tx_status"] == "pending":
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return receipt


def test_top_level_code_runs_as_the_publisher(bare: BareDevnet) -> None:
    publisher, other = bare.account(1), bare.account(2)
    code = f"(print tx-sender) (print contract-caller) (stx-transfer? u7 tx-sender '{other.address})"
    before = bare.balance(other.address)
    receipt = bare.receipt(bare.send(publisher, ContractPublish("once", code, 4), mode=ALLOW))
    assert receipt["tx_status"] == "success"
    printed = [event["contract_log"]["value"]["repr"] for event in receipt["events"] if "contract_log" in event]
    assert printed == [f"'{publisher.address}"] * 2
    assert bare.balance(other.address) == before + 7


def test_runtime_error_names_its_position_in_the_source(bare: BareDevnet) -> None:
    publisher = bare.account(1)
    code = """(define-private (divide (a uint))
  (let ((b u0))
    (/ a b)))
(define-public (early) (begin (try! (if true (err u3) (ok u1))) (ok u1)))
(define-public (outer)
  (begin (is-err (early)) (ok (+ u1 (divide u5)))))"""
    bare.send(publisher, ContractPublish("places", code, 4))
    contract = f"{publisher.address}.places"
    receipt = bare.receipt(bare.send(publisher, ContractCall(contract, "outer", ())))
    assert receipt["vm_error"].startswith("DivisionByZero\n Stack Trace: \n")
    assert receipt["vm_error_at"] == {
        "contract_id": contract,
        "function_name": "divide",
        "file": None,
        "line": 3,
        "column": 5,
        "expression": "(/ a b)",
    }
    simulated = bare.post(
        "/devnet/simulate",
        json={"sender": publisher.address, "contract": contract, "function": "outer", "arguments": []},
    ).json()
    assert simulated["vm_error_at"] == receipt["vm_error_at"]
    refused = bare.receipt(bare.send(publisher, ContractCall(contract, "early", ())))
    assert (refused["tx_result"]["repr"], "vm_error_at" in refused) == ("(err u3)", False)


@pytest.mark.parametrize("depth", [20, 38, 60, 120])
def test_deeply_nested_expressions_run(bare: BareDevnet, depth: int) -> None:
    publisher = bare.account(1)
    code = f"(define-public (deep) (ok {'(+ u1 ' * depth}u1{')' * depth}))"
    bare.send(publisher, ContractPublish("deep", code, 4))
    receipt = bare.receipt(bare.send(publisher, ContractCall(f"{publisher.address}.deep", "deep", ())))
    assert receipt["tx_result"]["repr"] == f"(ok u{depth + 1})"


@pytest.mark.parametrize("depth", [15, 16, 30])
def test_deeply_nested_values_can_be_read(bare: BareDevnet, depth: int) -> None:
    publisher = bare.account(1)
    value = "{a: " * depth + "u1" + "}" * depth
    code = f"(define-data-var kept bool true)(define-public (deep) (begin (print {value}) (ok {value})))"
    bare.send(publisher, ContractPublish("nested", code, 4))
    contract = f"{publisher.address}.nested"
    txid = bare.send(publisher, ContractCall(contract, "deep", ()))
    receipt = bare.receipt(txid)
    expected = "(tuple (a " * depth + "u1" + "))" * depth
    assert receipt["tx_result"]["repr"] == f"(ok {expected})"
    assert receipt["events"][0]["contract_log"]["value"]["repr"] == expected
    assert bare.json(f"/extended/v2/smart-contracts/{contract}/logs")["results"][0]["tx_id"] == receipt["tx_id"]
    assert bare.json(f"/extended/v3/transactions/{txid}?include=result")["result"]["repr"] == f"(ok {expected})"
    assert bare.json(f"/v3/transaction/{txid}")["block_height"] == receipt["block_height"]
    info = bare.client.transaction(txid)
    assert info is not None
    assert info.raw_result is not None


def test_more_print_events_than_fit_into_sixteen_bits(bare: BareDevnet) -> None:
    publisher = bare.account(1)
    code = """(define-private (one (byte (buff 1)) (count uint)) (begin (print count) (+ count u1)))
(define-public (many (times (buff 70000))) (ok (fold one times u0)))"""
    bare.send(publisher, ContractPublish("prints", code, 4))
    contract = f"{publisher.address}.prints"
    call = ContractCall(contract, "many", (BufferValue(bytes(70_000)),))
    txid = bare.send(publisher, call, fee=100_000)
    mined(bare, txid)
    logs = f"/extended/v2/smart-contracts/{contract}/logs"
    newest = bare.json(f"{logs}?limit=2")
    assert newest["total"] == 70_000
    assert [log["contract_log"]["value"]["repr"] for log in newest["results"]] == ["u69999", "u69998"]
    assert bare.json(f"{logs}?limit=1&cursor={newest['next_cursor']}")["results"][0]["event_index"] == 69_997
    receipt = bare.receipt(txid)
    assert (receipt["event_count"], len(receipt["events"])) == (70_000, 96)
    page = bare.json(f"/extended/v1/tx/{txid}?event_offset=69990&event_limit=100")["events"]
    assert [event["event_index"] for event in page] == list(range(69_990, 70_000))
    with bare.devnet.anchor():
        pass
    assert bare.json(f"{logs}?limit=2") == newest


def test_large_events_are_split_into_readable_pages(bare: BareDevnet) -> None:
    publisher = bare.account(1)
    code = """(define-private (one (byte (buff 1)) (big (buff 500000))) (begin (print big) big))
(define-public (many (big (buff 500000))) (begin (fold one 0x%s big) (ok u1)))""" % ("00" * 22)
    bare.send(publisher, ContractPublish("large", code, 4))
    contract = f"{publisher.address}.large"
    txid = bare.send(publisher, ContractCall(contract, "many", (BufferValue(bytes(500_000)),)), fee=600_000)
    mined(bare, txid)
    info = bare.client.transaction(txid)
    assert info is not None
    assert len(info.events) == 22
    seen, cursor = 0, ""
    while cursor is not None:
        page = bare.json(f"/extended/v2/smart-contracts/{contract}/logs?limit=20{cursor and '&cursor=' + cursor}")
        seen += len(page["results"])
        assert 0 < len(page["results"]) < 20
        cursor = page["next_cursor"]
    assert seen == 22
    events_page = bare.json(f"/extended/v3/transactions/{txid}/events?limit=100")
    assert 0 < len(events_page["results"]) < 22
    assert events_page["cursor"]["next"] == str(len(events_page["results"]))


ENDLESS = "(define-private (f0) u1)" + "".join(
    f"(define-private (f{level}) (+ (f{level - 1}) (f{level - 1})))" for level in range(1, 31)
)


@pytest.mark.parametrize(
    ("name", "code", "costs"),
    [
        ("reads", "(define-data-var v uint u1)(define-private (one (b (buff 1)) (n uint)) (+ n (var-get v)))", True),
        ("calls", ENDLESS, True),
        ("calls", ENDLESS, False),
    ],
)
def test_transaction_too_large_for_a_block_is_dropped(bare: BareDevnet, name: str, code: str, *, costs: bool) -> None:
    """As on a node, it pays no fee and uses no nonce; its status shows that it was dropped."""
    publisher = bare.account(1)
    body = "(fold one (unwrap-panic (as-max-len? 0x00 u1)) u0)" if name == "reads" else "(f30)"
    if name == "reads":
        body = f"(fold one 0x{'00' * 15_001} u0)"
    bare.send(publisher, ContractPublish(name, f"{code}(define-public (go) (ok {body}))", 4), fee=100_000)
    nonce, balance = bare.nonce(publisher.address), bare.balance(publisher.address)
    bare.devnet.track_costs(costs)
    try:
        txid = bare.send(publisher, ContractCall(f"{publisher.address}.{name}", "go", ()))
        status = mined(bare, txid)["tx_status"]
    finally:
        bare.devnet.track_costs(True)
    assert status == "dropped_too_expensive"
    assert (bare.nonce(publisher.address), bare.balance(publisher.address)) == (nonce, balance)
    assert bare.json("/devnet")["vm_memory_bytes"] < 600 << 20
    assert bare.transfer(publisher, bare.account(2).address, 5)["tx_status"] == "success"
