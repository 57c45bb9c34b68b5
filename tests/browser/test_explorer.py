"""The devnet's explorer in a browser, compared with the chain."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import requests
from playwright.sync_api import expect

from der_client.devnet import Devnet
from der_client.stacks.account import Account
from der_client.stacks.blocks import NakamotoBlock
from der_client.stacks.clarity import PrincipalValue, UIntValue, Utf8Value
from der_client.stacks.rpc import Client
from der_client.stacks.transactions import (
    ORIGIN,
    ContractCall,
    ContractPublish,
    FungibleCode,
    PostConditionMode,
    StxPostCondition,
    TokenTransfer,
)
from tests.browser.browsing import require_no_sideways_scroll
from tests.browser.looks import require_contrast

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Locator, Page

    from der_client.devnet import DevnetAccount
    from der_client.stacks.transactions import UserPayload
    from tests.browser.browsing import Watch

HOSTILE = "<img src=x onerror=console.error(1)><script>console.error(2)</script>\"'&amp;"
HOSTILE_NAME = "i<img/src=x>"
HOSTILE_TOKEN = "c<img/src=x>"
HOSTILE_MEMO = b"<img src=x onerror=alert(1)>"
SOURCE = f"""(define-fungible-token {HOSTILE_TOKEN})
(define-non-fungible-token plaque (string-utf8 100))
(define-constant LIMIT u1000)
(define-data-var total uint u7)
(define-map notes uint (string-utf8 100))
;; {HOSTILE}
(define-private (half (n uint)) (/ n u2))
(define-public (say (text (string-utf8 100)))
  (begin
    (map-set notes u1 text)
    (print {{topic: "said", text: text, half: (half u8), who: tx-sender, many: (list u1 u2 u3)}})
    (try! (ft-mint? {HOSTILE_TOKEN} u1234 tx-sender))
    (try! (nft-mint? plaque text tx-sender))
    (stx-transfer? u5 tx-sender 'ST2CY5V39NHDPWSXMW9QDT3HC3GD6Q6XX4CFRK9AG)))
(define-public (divide (by uint))
  (ok (/ u10 by)))
(define-read-only ({HOSTILE_NAME} (n uint)) (+ n u1))
(define-read-only (all (n uint) (i int) (flag bool) (who principal) (data (buff 4)) (name (string-ascii 12))
    (text (string-utf8 100)) (maybe (optional uint)) (many (list 3 uint)) (pair {{x: uint, y: (optional bool)}})
    (answer (response uint bool)))
  {{n: n, i: i, flag: flag, who: who, data: data, name: name, text: text, maybe: maybe, many: many, pair: pair,
    answer: answer}})
"""
TEXT_MILLISECONDS = 15_000


@dataclass
class Chain:
    """A devnet with a transaction of each outcome."""

    devnet: Devnet
    txids: dict[str, str] = field(default_factory=dict)

    @property
    def contract(self) -> str:
        return f"{self.wallet(1).address}.store"

    def wallet(self, number: int) -> DevnetAccount:
        return self.devnet.accounts[f"wallet_{number}"]

    def get(self, path: str) -> Any:
        response = requests.get(self.devnet.url + path, timeout=60)
        assert response.ok, response.text
        return response.json()

    def send(self, name: str, number: int, payload: UserPayload, **terms: Any) -> str:
        sender = Account(self.wallet(number).key, Client(self.devnet.url))
        pending = sender.submit(payload, **terms)
        self.txids[name] = pending.txid
        return pending.txid

    def tx(self, name: str) -> Any:
        return self.get(f"/extended/v1/tx/0x{self.txids[name]}")

    def visit(self, page: Page, *path: str) -> Page:
        page.goto(f"{self.devnet.url}/#/{'/'.join(path)}")
        expect(page.locator("main")).not_to_have_attribute("aria-busy", "true", timeout=TEXT_MILLISECONDS)
        expect(page.locator("main h1").first).to_be_visible()
        require_no_sideways_scroll(page)
        return page


@pytest.fixture(scope="module")
def chain() -> Iterator[Chain]:
    with Devnet(deploy_contracts=False, start_time=1_800_000_000) as devnet:
        chain = Chain(devnet)
        chain.send("publish", 1, ContractPublish("store", SOURCE, 4), mode=PostConditionMode.ALLOW)
        say = ContractCall(chain.contract, "say", (Utf8Value(HOSTILE),))
        exactly = StxPostCondition(ORIGIN, FungibleCode.EQUAL, 5)
        chain.send("say", 3, say, post_conditions=(exactly,), mode=PostConditionMode.ALLOW)
        other = ContractCall(chain.contract, "say", (Utf8Value("of another one"),))
        chain.send("denied", 4, other)
        chain.send("divide", 3, ContractCall(chain.contract, "divide", (UIntValue(0),)))
        to = PrincipalValue(chain.wallet(5).address)
        chain.send("transfer", 3, TokenTransfer(to, 1_500_000, HOSTILE_MEMO))
        yield chain


def card(page: Page, title: str) -> Locator:
    return page.locator("section.card", has=page.get_by_role("heading", name=title, exact=True))


def fact(page: Page, name: str) -> Locator:
    """Return the value with this name in the card of facts."""
    return page.locator(f"dl.facts > dt:text-is('{name}') + dd").first


def plain(text: str) -> str:
    """Return the text without the narrow spaces between thousands."""
    return text.replace("\u202f", "")


def test_the_overview_equals_the_chain(chain: Chain, page: Page) -> None:
    chain.visit(page)
    tip = chain.get("/extended/v2/blocks/latest")
    tiles = {name: plain(text) for name, text in tile_texts(page).items()}
    assert tiles["Latest block"] == str(tip["height"])
    assert tiles["Transactions"] == str(chain.get("/devnet")["transactions"])
    assert tiles["Mempool"] == "0"
    assert tiles["Chain time"] == tip["block_time_iso"][11:19]
    rows = card(page, "Latest transactions").locator("tbody tr")
    assert rows.count() == len(chain.txids)
    assert rows.nth(0).inner_text().startswith("1.5 STX to wallet_5")
    assert "Post-condition violated" in rows.nth(2).inner_text()
    assert "Failed" in rows.nth(1).inner_text()
    assert page.locator("#tip").inner_text() == f"Block {tip['height']}"


def tile_texts(page: Page) -> dict[str, str]:
    names = page.locator(".tile .name").all_inner_texts()
    return dict(zip(names, page.locator(".tile strong").all_inner_texts(), strict=True))


def test_new_and_undone_transactions_are_shown_at_once(chain: Chain, page: Page) -> None:
    chain.visit(page)
    expect(page.locator("#tip .live")).to_be_visible(timeout=TEXT_MILLISECONDS)
    first = card(page, "Latest transactions").locator("tbody tr").first
    before = re.split(r"[\t\n]", first.inner_text())[0]
    with chain.devnet.anchor():
        chain.devnet.fund(chain.wallet(6).address)
        expect(first).to_contain_text("500 STX", timeout=TEXT_MILLISECONDS)
    expect(first).to_contain_text(before, timeout=TEXT_MILLISECONDS)


def test_links_lead_to_a_transaction_its_block_and_its_sender(chain: Chain, page: Page) -> None:
    chain.visit(page)
    page.get_by_role("link", name="say", exact=True).first.click()
    expect(page.locator("main h1")).to_contain_text("say of wallet_1.store")
    fact(page, "Block").get_by_role("link").click()
    height = chain.tx("denied")["block_height"]
    expect(page.locator("main h1")).to_have_text(f"Block {height}")
    page.get_by_role("link", name="wallet_4", exact=True).click()
    expect(page.locator("main h1")).to_have_text("wallet_4")
    page.go_back()
    page.get_by_role("link", name="← Previous").click()
    expect(page.locator("main h1")).to_have_text(f"Block {height - 1}")
    page.get_by_role("link", name="Next →").click()
    expect(page.locator("main h1")).to_have_text(f"Block {height}")
    require_no_sideways_scroll(page)


def test_a_call_shows_events_post_conditions_and_costs(chain: Chain, page: Page) -> None:
    tx = chain.tx("say")
    chain.visit(page, "tx", tx["tx_id"])
    assert fact(page, "Result").inner_text().split() == ["ok", "true"]
    assert plain(fact(page, "Block").inner_text()) == str(tx["block_height"])
    assert fact(page, "Time").inner_text() == tx["block_time_iso"][:19].replace("T", " ")
    assert fact(page, "From").inner_text() == tx["sender_address"]
    arguments = card(page, "Arguments").locator("tbody tr")
    assert arguments.count() == 1
    assert HOSTILE in arguments.nth(0).inner_text()
    conditions = card(page, "Post-conditions").inner_text()
    assert "The sender sends exactly 0.000005 STX" in conditions
    assert "allow mode" in conditions
    events = card(page, "Events").locator(".event")
    assert events.count() == tx["event_count"] == 4
    printed = events.nth(0).inner_text()
    assert plain(printed).startswith("Print said of wallet_1.store")
    assert f'u"{HOSTILE}"' in printed
    assert "wallet_3" in printed
    assert plain(events.nth(1).inner_text()).startswith(f"Mint 1234 {HOSTILE_TOKEN} of wallet_1.store to wallet_3")
    assert events.nth(3).inner_text() == "Transfer 0.000005 STX from wallet_3 to wallet_2"
    costs = [plain(row).split() for row in card(page, "Costs").locator("tbody tr").all_inner_texts()]
    for kind in ("runtime", "read_count", "read_length", "write_count", "write_length"):
        amount = str(tx[f"execution_cost_{kind}"])
        assert any(amount in row and kind.rpartition("_")[2] in row for row in costs), kind


def test_a_saved_block_proves_its_transactions(chain: Chain, wide_page: Page) -> None:
    tx = chain.tx("say")
    chain.visit(wide_page, "block", str(tx["block_height"]))
    with wide_page.expect_download() as downloading:
        wide_page.get_by_role("link", name="Save the block").click()
    assert downloading.value.suggested_filename == f"{tx['block_height']}.block"
    block = NakamotoBlock.decode(downloading.value.path().read_bytes())
    txid = chain.txids["say"]
    assert block.path(txid).root(txid) == block.header.transactions_root
    assert fact(wide_page, "Index hash").locator("code").inner_text() == f"0x{block.header.block_id}"


def test_every_text_has_enough_contrast(chain: Chain, wide_page: Page) -> None:
    places = (
        (),
        ("blocks",),
        ("tx", f"0x{chain.txids['say']}"),
        ("tx", f"0x{chain.txids['divide']}"),
        ("accounts",),
        ("account", chain.wallet(3).address),
        ("contract", chain.contract),
        ("contract", chain.contract, "source"),
        ("contract", chain.contract, "events"),
        ("nowhere",),
    )
    for place in places:
        chain.visit(wide_page, *place)
        require_contrast(wide_page)


def test_a_trace_shows_calls_and_their_lines(chain: Chain, page: Page) -> None:
    told = chain.devnet.trace(chain.txids["say"]).call
    assert told is not None
    chain.visit(page, "tx", f"0x{chain.txids['say']}")
    page.get_by_role("button", name="Trace this call").click()
    trace = card(page, "Trace").locator(".trace")
    expect(trace).to_be_visible(timeout=60_000)
    assert f"{told.runtime} runtime" in plain(trace.locator("summary").first.inner_text())
    (inner,) = told.calls
    call = trace.locator("ul li").first
    assert call.inner_text().startswith(f"half of wallet_1.store, called in line {inner.line}")
    assert "u4" in call.inner_text()
    require_no_sideways_scroll(page)
    call.get_by_role("link", name=f"line {inner.line}").click()
    expect(page.locator(".source li.marked")).to_contain_text("(half u8)")


def test_a_runtime_error_links_to_its_line(chain: Chain, page: Page) -> None:
    tx = chain.tx("divide")
    chain.visit(page, "tx", tx["tx_id"])
    assert fact(page, "Error").inner_text() == tx["vm_error"]
    where = fact(page, "Where")
    assert where.inner_text().startswith("(/ u10 by) in divide of wallet_1.store, line")
    where.get_by_role("link", name=f"line {tx['vm_error_at']['line']}").click()
    marked = page.locator(".source li.marked")
    expect(marked).to_be_in_viewport()
    assert marked.inner_text() == "  (ok (/ u10 by)))"
    require_no_sideways_scroll(page)


def test_a_violated_post_condition_and_a_transfer_are_shown(chain: Chain, page: Page) -> None:
    chain.visit(page, "tx", f"0x{chain.txids['denied']}")
    assert page.locator(".badge").inner_text() == "Post-condition violated"
    assert "Nothing may move." in card(page, "Post-conditions").inner_text()
    chain.visit(page, "tx", f"0x{chain.txids['transfer']}")
    assert page.locator("main h1").inner_text() == "1.5 STX to wallet_5"
    assert fact(page, "Memo").inner_text() == HOSTILE_MEMO.decode()


def test_an_account_shows_balance_tokens_and_transactions(chain: Chain, page: Page) -> None:
    sender = chain.wallet(3)
    chain.visit(page, "account", sender.address)
    held = Client(chain.devnet.url).account(sender.address)
    whole, fraction = divmod(held.balance_ustx, 1_000_000)
    assert plain(fact(page, "Balance").inner_text()) == f"{whole}.{fraction:06} STX"
    assert fact(page, "Next nonce").inner_text() == str(held.nonce)
    tokens = [plain(text) for text in card(page, "Tokens").locator("tbody tr").all_inner_texts()]
    assert HOSTILE_TOKEN in tokens[0]
    assert "1234" in tokens[0]
    assert HOSTILE in tokens[1]
    listed = chain.get(f"/extended/v3/principals/{sender.address}/transactions")
    rows = card(page, "Transactions").locator("tbody tr")
    assert rows.count() == listed["total"] == 3
    fee = int(chain.tx("transfer")["fee_rate"])
    assert f"\N{MINUS SIGN}1.{500_000 + fee} STX" in rows.nth(0).inner_text()


def test_the_accounts_of_the_devnet_are_listed(chain: Chain, page: Page) -> None:
    chain.visit(page, "accounts")
    rows = page.locator("tbody tr")
    assert rows.count() == len(chain.devnet.accounts)
    for index, (name, account) in enumerate(chain.devnet.accounts.items()):
        text = rows.nth(index).inner_text()
        assert name in text
        assert account.address in text


def fill_in(form: Locator) -> None:
    """Fill in an argument of each type."""
    for label, text in {
        "n": "1 000",
        "i": "-5",
        "who": chain_address(form),
        "data": "0xdeadbeef",
        "name": "plain",
        "text": HOSTILE,
        "pair, x": "9",
    }.items():
        form.get_by_label(label, exact=True).fill(text)
    form.get_by_label("flag", exact=True).select_option("false")
    form.get_by_label("maybe: which").select_option(label="some")
    form.get_by_label("maybe", exact=True).fill("3")
    for number in (1, 2):
        form.get_by_role("button", name="Add an item").click()
        form.get_by_label(f"many {number}").fill(str(number))
    form.get_by_label("pair, y: which").select_option(label="some")
    form.get_by_label("pair, y", exact=True).select_option("true")
    form.get_by_label("answer: which").select_option(label="err")
    form.get_by_label("answer", exact=True).select_option("true")


def chain_address(form: Locator) -> str:
    """Return the address of the form's contract."""
    return form.page.locator(".identifier code").first.inner_text()


def readable(page: Page, name: str) -> Locator:
    opened = page.locator(f"details.readable[data-name='{name}']")
    opened.locator("summary").click()
    return opened


def test_a_function_is_read_with_arguments_of_each_type(chain: Chain, page: Page) -> None:
    chain.visit(page, "contract", chain.contract)
    form = readable(page, "all")
    fill_in(form)
    form.get_by_role("button", name="Read").click()
    result = form.locator("output .v-tuple").first
    expect(result).to_be_visible(timeout=TEXT_MILLISECONDS)
    names = result.locator("> dt").all_inner_texts()
    values = [plain(text) for text in result.locator("> dd").all_inner_texts()]
    told = dict(zip(names, values, strict=True))
    assert told == {
        "answer": "err true",
        "data": "0xdeadbeef",
        "flag": "false",
        "i": "-5",
        "many": told["many"],
        "maybe": "some u3",
        "n": "u1000",
        "name": '"plain"',
        "pair": told["pair"],
        "text": f'u"{HOSTILE}"',
        "who": "wallet_1.store",
    }
    assert told["many"].split() == ["u1", "u2"]
    assert told["pair"].split() == ["x", "u9", "y", "some", "true"]
    require_no_sideways_scroll(page)


def test_invalid_arguments_are_reported_without_a_request(chain: Chain, page: Page) -> None:
    chain.visit(page, "contract", chain.contract)
    form = readable(page, "all")
    fill_in(form)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "call-read" in request.url else None)
    mistakes = {
        "n": [("", "expected a whole number, got nothing"), ("-1", "expected a number from 0"), ("1.5", "got 1.5")],
        "who": [("ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGX", "neither, or has a typo")],
        "data": [("0xd", "hex digits in pairs"), ("0xdeadbeef00", "at most 4 bytes fit, got 5")],
        "name": [("ä", "only ASCII"), ("much too long for it", "at most 12 characters")],
    }
    for label, tries in mistakes.items():
        box = form.get_by_label(label, exact=True)
        good = box.input_value()
        for text, problem in tries:
            box.fill(text)
            form.get_by_role("button", name="Read").click()
            expect(form.get_by_role("alert")).to_contain_text(f"{label}: ")
            expect(form.get_by_role("alert")).to_contain_text(problem)
        box.fill(good)
    assert asked == []


def test_variables_constants_and_maps_are_read(chain: Chain, page: Page) -> None:
    chain.visit(page, "contract", chain.contract)
    for name, text in (("total", "u7"), ("LIMIT", "u1000")):
        entry = readable(page, name)
        entry.get_by_role("button", name="Read").click()
        expect(entry.locator("output .value")).to_be_visible(timeout=TEXT_MILLISECONDS)
        assert plain(entry.locator("output").inner_text()) == text
    notes = readable(page, "notes")
    for key, text in (("1", f'some u"{HOSTILE}"'), ("2", "none")):
        notes.get_by_label("key").fill(key)
        notes.get_by_role("button", name="Read").click()
        expect(notes.locator("output")).to_have_text(text, timeout=TEXT_MILLISECONDS)
    named = readable(page, HOSTILE_NAME)
    named.get_by_label("n").fill("4")
    named.get_by_role("button", name="Read").click()
    expect(named.locator("output")).to_have_text("u5", timeout=TEXT_MILLISECONDS)


def test_a_contract_shows_source_events_and_holdings(chain: Chain, page: Page) -> None:
    chain.visit(page, "contract", chain.contract)
    tabs = page.get_by_role("navigation", name="Contract")
    tabs.get_by_role("link", name="Source").click()
    lines = page.locator(".source li")
    expect(lines.first).to_be_visible()
    assert "\n".join(lines.all_text_contents()) == "\n".join(line or " " for line in SOURCE.split("\n"))
    assert plain(fact(page, "Block").inner_text()) == str(chain.tx("publish")["block_height"])
    require_no_sideways_scroll(page)
    tabs.get_by_role("link", name="Events").click()
    expect(page.locator(".event")).to_have_count(1)
    assert f'u"{HOSTILE}"' in page.locator(".event").inner_text()
    tabs.get_by_role("link", name="Holdings").click()
    expect(fact(page, "Balance")).to_have_text("0 STX")
    total = chain.get(f"/extended/v3/principals/{chain.contract}/transactions")["total"]
    assert card(page, "Transactions").locator("tbody tr").count() == total
    chain.visit(page, "contracts")
    assert page.locator("tbody tr").all_inner_texts()[0].startswith("store")


def test_a_boot_contract_can_be_read(chain: Chain, page: Page) -> None:
    chain.visit(page, "contract", "ST000000000000000000002AMW42H.pox-5")
    info = readable(page, "get-pox-info")
    info.get_by_role("button", name="Read").click()
    expect(info.locator("output .v-tuple")).to_be_visible(timeout=TEXT_MILLISECONDS)


def test_texts_from_the_chain_are_escaped(chain: Chain, page: Page) -> None:
    """These pages show texts from the chain. If one were run as a script, the console would show an error, too."""
    hostile = ("publish", "say", "transfer")
    places: list[tuple[str, ...]] = [("tx", f"0x{chain.txids[name]}") for name in hostile]
    places += [("contract", chain.contract, tab) for tab in ("read", "source", "events")]
    places.append(("account", chain.wallet(3).address))
    for place in places:
        chain.visit(page, *place)
        assert "<img" in (page.locator("main").text_content() or ""), place
        assert page.locator("main img, main script, main style, main iframe").count() == 0, place


def search(page: Page, text: str) -> None:
    page.get_by_role("searchbox", name="Search").fill(text)
    page.get_by_role("button", name="Search").click()


def test_search_finds_transactions_blocks_accounts_and_contracts(chain: Chain, page: Page, watch: Watch) -> None:
    chain.visit(page)
    tx = chain.tx("transfer")
    for text, title in {
        tx["tx_id"]: "1.5 STX to wallet_5",
        tx["tx_id"].removeprefix("0x").upper(): "1.5 STX to wallet_5",
        str(tx["block_height"]): f"Block {tx['block_height']}",
        chain.wallet(3).address.lower(): "wallet_3",
        chain.contract: "store",
        "wallet_7": "wallet_7",
        "Store": "store",
        "ST000000000000000000002AMW42H": "Account",
    }.items():
        search(page, text)
        expect(page.locator("main h1")).to_have_text(title, timeout=TEXT_MILLISECONDS)
    assert not watch.problems
    search(page, tx["block_hash"])
    expect(page.locator("main h1")).to_have_text(f"Block {tx['block_height']}", timeout=TEXT_MILLISECONDS)
    for text in ("0x" + "ab" * 32, "99999999", "nobody", HOSTILE, "ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGX"):
        search(page, text)
        expect(page.locator("main h1")).to_have_text("Not found", timeout=TEXT_MILLISECONDS)
        expect(page.locator("main code")).to_have_text(text)
    require_no_sideways_scroll(page)
    # Chromium logs each response with status 404; there were no other problems.
    assert all("404" in problem for problem in watch.problems), watch.problems
    watch.problems.clear()


def test_unknown_pages_and_ids_are_reported(chain: Chain, page: Page, watch: Watch) -> None:
    for place, title in ((("nothing",), "Page not found"), (("tx", "0x" + "ab" * 32), "Not found")):
        chain.visit(page, *place)
        assert page.locator("main h1").inner_text() == title
    chain.visit(page, "tx", "x")
    assert "is not a transaction id" in page.locator("main").inner_text()
    assert all("40" in problem for problem in watch.problems), watch.problems
    watch.problems.clear()


def test_another_api_can_be_opened(chain: Chain, page: Page, watch: Watch) -> None:
    with Devnet(deploy_contracts=False, block_interval_s=0) as other:
        other.mine(30)
        chain.visit(page)
        box = page.get_by_label("API URL")
        assert box.input_value() == chain.devnet.url
        box.fill("not a url at all")
        page.get_by_role("button", name="Open").click()
        assert page.url.endswith("#/")
        box.fill(other.url)
        page.get_by_role("button", name="Open").click()
        expect(page.locator("main h1")).to_have_text(other.url.removeprefix("http://"), timeout=TEXT_MILLISECONDS)
        assert tile_texts(page)["Latest block"] == str(other.block_height)
        page.get_by_role("navigation", name="Pages").get_by_role("link", name="Blocks").click()
        expect(page.locator("main h1")).to_have_text("Blocks")
        assert "?api=" in page.url
        assert page.locator("tbody tr").count() == 20
        page.get_by_role("button", name="Show more").click()
        expect(page.locator("tbody tr")).to_have_count(other.block_height, timeout=TEXT_MILLISECONDS)
        page.reload()
        expect(page.locator("main h1")).to_have_text("Blocks", timeout=TEXT_MILLISECONDS)
        assert box.input_value() == other.url
        page.get_by_role("navigation", name="Pages").get_by_role("link", name="Accounts").click()
        expect(page.locator("main")).to_contain_text("Only a devnet lists its accounts")
        page.get_by_role("button", name="This devnet").click()
        expect(page.locator("main h1")).to_have_text("Devnet, epoch 4.0", timeout=TEXT_MILLISECONDS)
        elsewhere = [problem for problem in watch.problems if f"loaded from elsewhere: {other.url}/" in problem]
        assert elsewhere
        assert elsewhere == watch.problems
        watch.problems.clear()


def test_an_unreachable_api_is_reported(chain: Chain, page: Page, watch: Watch) -> None:
    page.goto(f"{chain.devnet.url}/#/?api=http%3A%2F%2F127.0.0.1%3A9")
    expect(page.locator("main h1")).to_have_text("No response", timeout=TEXT_MILLISECONDS)
    assert "http://127.0.0.1:9 does not respond" in page.locator("main").inner_text()
    watch.problems.clear()


def test_a_pending_transaction_and_a_devnet_without_control(page: Page) -> None:
    with Devnet(deploy_contracts=False, block_interval_s=0) as devnet:
        chain = Chain(devnet)
        txid = chain.send("waiting", 1, TokenTransfer(PrincipalValue(chain.wallet(2).address), 1))
        chain.visit(page, "txs")
        assert "Pending" in card(page, "Waiting").inner_text()
        chain.visit(page, "tx", f"0x{txid}")
        assert page.locator(".badge").inner_text() == "Pending"
        devnet.mine()
        expect(page.locator(".badge")).to_have_text("Success", timeout=TEXT_MILLISECONDS)
        page.goto("about:blank")
    with Devnet(deploy_contracts=False, control=False) as closed:
        page.goto(closed.url)
        expect(page.locator(".tile")).to_have_count(4, timeout=TEXT_MILLISECONDS)
