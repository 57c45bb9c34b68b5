"""A complete example, from start to end, as any program could do it; ``der demo`` runs `run_demo`."""

from der_client.demo.results import DemoResult
from der_client.demo.run import MAX_DAYS, run_demo

__all__ = ["MAX_DAYS", "DemoResult", "run_demo"]
