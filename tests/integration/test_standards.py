"""Token interfaces bound to third-party contracts: reads, transfers with the tightest post-conditions, and events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from der_client.stacks.errors import PostConditionAbortedError
from der_client.stacks.standards import Sip009, Sip010, Sip013, TokenMemo
from der_client.stacks.standards.tokens import SemiFungibleTransfer
from der_client.stacks.transactions import ContractPublish, FtPostCondition, FungibleCode

if TYPE_CHECKING:
    from der_client import Account, Der
    from der_client.devnet import Devnet

COIN = """
(define-fungible-token points)
(define-fungible-token coin)
(ft-mint? coin u1000 tx-sender)
(ft-mint? points u1000 tx-sender)
(define-public (transfer (amount uint) (from principal) (to principal) (note (optional (buff 34))))
  (begin
    (asserts! (is-eq from tx-sender) (err u4))
    (try! (ft-transfer? coin amount from to))
    (and (is-eq amount u13) (try! (ft-transfer? points u1 from to)))
    (match note text (print text) 0x)
    (ok true)))
(define-read-only (get-name) (ok "Coin"))
(define-read-only (get-symbol) (ok "COIN"))
(define-read-only (get-decimals) (ok u6))
(define-read-only (get-balance (of principal)) (ok (ft-get-balance coin of)))
(define-read-only (get-total-supply) (ok (ft-get-supply coin)))
(define-read-only (get-token-uri) (ok (some u"https://example.org")))
"""
ART = """
(define-non-fungible-token picture uint)
(nft-mint? picture u7 tx-sender)
(define-read-only (get-last-token-id) (ok u7))
(define-read-only (get-token-uri (id uint)) (ok none))
(define-read-only (get-owner (id uint)) (ok (nft-get-owner? picture id)))
(define-public (transfer (id uint) (from principal) (to principal)) (nft-transfer? picture id from to))
"""
SHARES = """
(define-fungible-token shares)
(ft-mint? shares u50 tx-sender)
(define-read-only (get-balance (id uint) (who principal)) (ok (ft-get-balance shares who)))
(define-read-only (get-overall-balance (who principal)) (ok (ft-get-balance shares who)))
(define-read-only (get-total-supply (id uint)) (ok u50))
(define-read-only (get-overall-supply) (ok u50))
(define-read-only (get-decimals (id uint)) (ok u0))
(define-read-only (get-token-uri (id uint)) (ok none))
(define-public (transfer (id uint) (amount uint) (from principal) (to principal))
  (begin
    (try! (ft-transfer? shares amount from to))
    (print {type: "sft_transfer", token-id: id, amount: amount, sender: from, recipient: to})
    (ok true)))
(define-public (transfer-memo (id uint) (amount uint) (from principal) (to principal) (memo (buff 34)))
  (begin (try! (transfer id amount from to)) (print memo) (ok true)))
"""


@pytest.fixture
def account(der: Der) -> Account:
    assert der.account is not None
    return der.account


def publish(account: Account, name: str, code: str) -> str:
    account.submit(ContractPublish(name, code, 4)).wait()
    return f"{account.address}.{name}"


def test_a_fungible_token(account: Account, devnet: Devnet) -> None:
    to = devnet.accounts["wallet_1"].address
    coin = Sip010.at(account.client, publish(account, "coin", COIN), account)
    assert coin.differences() == ()
    assert (coin.get_name(), coin.get_symbol(), coin.get_decimals()) == ("Coin", "COIN", 6)
    assert coin.get_token_uri() == "https://example.org"
    call = coin.transfer(5, account.address, to, b"thanks")
    assert call.post_conditions == (
        FtPostCondition(account.address, f"{coin.contract_id}::coin", FungibleCode.EQUAL, 5),
    )
    receipt = call.send().wait()
    assert receipt.value is True
    assert receipt.events == (TokenMemo(memo=b"thanks"),)
    assert (coin.get_balance(to), coin.get_total_supply()) == (5, 1000)
    with pytest.raises(PostConditionAbortedError):
        coin.transfer(13, account.address, to).send().wait()


def test_a_non_fungible_token(account: Account, devnet: Devnet) -> None:
    to = devnet.accounts["wallet_1"].address
    art = Sip009.at(account.client, publish(account, "art", ART), account)
    assert art.differences() == ()
    assert (art.get_last_token_id(), art.get_owner(7), art.get_owner(8)) == (7, account.address, None)
    art.transfer(7, account.address, to).send().wait()
    assert art.get_owner(7) == to


def test_semi_fungible_tokens(account: Account, devnet: Devnet) -> None:
    to = devnet.accounts["wallet_1"].address
    shares = Sip013.at(account.client, publish(account, "shares", SHARES), account)
    assert shares.differences() == ()
    receipt = shares.transfer_memo(1, 20, account.address, to, b"for you").send().wait()
    moved = SemiFungibleTransfer(token_id=1, amount=20, sender=account.address, recipient=to)
    assert receipt.events == (moved, TokenMemo(memo=b"for you"))
    assert (shares.get_balance(1, to), shares.get_overall_balance(to)) == (20, 20)
