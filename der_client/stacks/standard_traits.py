"""The traits of the token standards, which nearly every token uses: known without asking a network.

From SIP-009, SIP-010 and SIP-013; the ids are those of the contracts on mainnet.
"""

from __future__ import annotations

from typing import Final

_SIP_009: Final = """(define-trait nft-trait
  ((get-last-token-id () (response uint uint))
   (get-token-uri (uint) (response (optional (string-ascii 256)) uint))
   (get-owner (uint) (response (optional principal) uint))
   (transfer (uint principal principal) (response bool uint))))
"""
_SIP_010: Final = """(define-trait sip-010-trait
  ((transfer (uint principal principal (optional (buff 34))) (response bool uint))
   (get-name () (response (string-ascii 32) uint))
   (get-symbol () (response (string-ascii 32) uint))
   (get-decimals () (response uint uint))
   (get-balance (principal) (response uint uint))
   (get-total-supply () (response uint uint))
   (get-token-uri () (response (optional (string-utf8 256)) uint))))
"""
_SIP_013: Final = """(define-trait sip013-semi-fungible-token-trait
  ((get-balance (uint principal) (response uint uint))
   (get-overall-balance (principal) (response uint uint))
   (get-total-supply (uint) (response uint uint))
   (get-overall-supply () (response uint uint))
   (get-decimals (uint) (response uint uint))
   (get-token-uri (uint) (response (optional (string-ascii 256)) uint))
   (transfer (uint uint principal principal) (response bool uint))
   (transfer-memo (uint uint principal principal (buff 34)) (response bool uint))))
"""

STANDARD_TRAITS: Final = {
    "SP2PABAF9FTAJYNFZH93XENAJ8FVY99RRM50D2JG9.nft-trait": _SIP_009,
    "SP3FBR2AGK5H9QBDH3EEN6DF8EK8JY7RX8QJ5SVTE.sip-010-trait-ft-standard": _SIP_010,
    "SPDBEG5X8XD50SPM1JJH0E5CTXGDV5NJTKAKKR5V.sip013-semi-fungible-token-trait": _SIP_013,
}
"""Sources by contract id."""
