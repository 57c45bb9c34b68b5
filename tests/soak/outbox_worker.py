"""A process of the outbox soak: does the jobs of a journal until all are done or it is killed."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator

from der_client import PrivateKey
from der_client.stacks.account import Account
from der_client.stacks.clarity import PrincipalValue
from der_client.stacks.errors import NodeError
from der_client.stacks.network import DEVNET
from der_client.stacks.outbox import Job, Outbox
from der_client.stacks.rpc import Client, RetryPolicy
from der_client.stacks.transactions import TokenTransfer

LEASE_S = 3.0


def jobs(payee: str, number: int) -> Iterator[Job]:
    """Yield payments, each of a different amount."""
    for amount in range(1, number + 1):
        yield Job(f"pay/{amount}", TokenTransfer(PrincipalValue(payee), amount), fee_ustx=1_000)


def main() -> None:
    """Run with the plan from the environment, because others could see keys on the command line."""
    plan = json.loads(os.environ["DER_SOAK"])
    client = Client(plan["url"], network=DEVNET, retries=RetryPolicy(attempts=2, backoff_s=0.05))
    accounts = [Account(PrivateKey.from_hex(key), client) for key in plan["keys"]]
    while True:
        try:
            outbox = Outbox(accounts, plan["journal"], lease_s=LEASE_S, look_s=1.0, max_poll_s=0.2)
            break
        except NodeError:
            time.sleep(0.1)
    with outbox:
        for _ in outbox.run(jobs(plan["payee"], plan["jobs"])):
            pass


if __name__ == "__main__":
    main()
