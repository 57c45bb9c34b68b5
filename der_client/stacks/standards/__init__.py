"""Interfaces and ids that many contracts share: tokens (SIP-009, -010, -013), signed messages (SIP-018), Bitcoin."""

from der_client.stacks.standards.bitcoin_address import BitcoinAddress
from der_client.stacks.standards.known_tokens import SBTC, USDCX, KnownToken
from der_client.stacks.standards.signed_messages import MessageDomain
from der_client.stacks.standards.tokens import Memo, Sip009, Sip010, Sip013, TokenMemo

__all__ = [
    "SBTC",
    "USDCX",
    "BitcoinAddress",
    "KnownToken",
    "Memo",
    "MessageDomain",
    "Sip009",
    "Sip010",
    "Sip013",
    "TokenMemo",
]
