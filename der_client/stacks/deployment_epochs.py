"""The epoch that the contracts of a deployment are published in."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from der_client.stacks.errors import DeploymentError, NodeError, NotFoundError
from der_client.stacks.rpc import devnet

if TYPE_CHECKING:
    from der_client.stacks.rpc import Client

_POLL_S: Final = 1.0


class DeploymentEpochs:
    """The epoch in which contracts are published: on an embedded devnet it is set, on other nodes it is waited for.

    Args:
        client: The node.
        timeout_s: The longest wait for an epoch, in seconds.
    """

    def __init__(self, client: Client, timeout_s: float) -> None:
        self._client = client
        self._timeout_s = timeout_s
        self._usual = ""
        self._present = ""

    def enter(self, epoch: str, where: str) -> None:
        """Make the next blocks be in an epoch, or at least not in an earlier one.

        Raises:
            DeploymentError: If a node does not reach it in time.
        """
        if epoch == self._present:
            return
        try:
            before = self._client.run(devnet.set_epoch(epoch))
        except NotFoundError:
            self._wait_for(epoch, where)
        else:
            self._usual = self._usual or before
        self._present = epoch

    def leave(self) -> None:
        """Go back to the previous epoch."""
        if self._usual and self._present != self._usual:
            self._client.run(devnet.set_epoch(self._usual))
        self._present = self._usual

    def _wait_for(self, epoch: str, where: str) -> None:
        deadline = time.monotonic() + self._timeout_s
        while True:
            try:
                pox = self._client.pox()
            except NodeError:  # not every API serves it; the node itself then refuses what it cannot publish
                return
            starts = [each.start_height for each in pox.epochs if _same_epoch(each.epoch_id, epoch)]
            if not starts or starts[0] <= pox.current_burnchain_block_height:
                return
            if time.monotonic() > deadline:
                raise DeploymentError(
                    f"{where}: the plan needs epoch {epoch}, which begins at burn block {starts[0]}; the node is at "
                    f"{pox.current_burnchain_block_height} after {self._timeout_s:g} s: run again later"
                )
            time.sleep(_POLL_S)


def _same_epoch(named: str, epoch: str) -> bool:
    """Return whether a node's name for an epoch, ``Epoch24`` or ``Epoch2_05``, means this epoch."""
    return named.removeprefix("Epoch").replace("_", "") == epoch.replace(".", "")
