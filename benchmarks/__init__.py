"""How fast der-client is beside its peers: ``python -m benchmarks``; see ``docs/performance.md``."""
