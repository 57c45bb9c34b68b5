"""The keeper: settles, refunds and expires whatever has become due, for anybody, beside any number of others."""

from der_client.keeper.keeper import Keeper
from der_client.keeper.report import KeeperReport, Skipped

__all__ = ["Keeper", "KeeperReport", "Skipped"]
