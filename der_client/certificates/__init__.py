"""Granular certificates: claimed energy by metering interval, as EnergyTag bundles with their proof.

``issue`` makes a file from an index, ``check_offline`` and ``check_online`` examine one.
"""

from der_client.certificates.bundles import CertificateBundle, CertificateFile
from der_client.certificates.findings import Check, Outcome
from der_client.certificates.in_blocks import block_headers
from der_client.certificates.issuing import issue
from der_client.certificates.offline import check_offline
from der_client.certificates.online import check_online

__all__ = [
    "CertificateBundle",
    "CertificateFile",
    "Check",
    "Outcome",
    "block_headers",
    "check_offline",
    "check_online",
    "issue",
]
