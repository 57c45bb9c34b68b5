"""What the embedded devnet tells of itself (``GET /devnet``)."""

from __future__ import annotations

from der_client.stacks.rpc.endpoint import Answer, Endpoint, Request


def deployer() -> Endpoint[str]:
    """The address that deployed the contracts; `NotFoundError` on any other node."""
    return Endpoint(Request("GET", "/devnet"), _read_deployer)


def _read_deployer(answer: Answer) -> str:
    return answer.fields().text("deployer")
