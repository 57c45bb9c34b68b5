"""The main job, start to end, as any program could do it; `run_demo` is what ``der demo`` runs."""

from der_client.demo.results import DemoResult
from der_client.demo.run import MAX_DAYS, run_demo

__all__ = ["MAX_DAYS", "DemoResult", "run_demo"]
