"""The keeper: settles, refunds and expires whatever has become due. Anybody may run one, and any number at once."""

from der_client.keeper.keeper import Keeper
from der_client.keeper.report import KeeperReport, Skipped

__all__ = ["Keeper", "KeeperReport", "Skipped"]
