"""How fast der-client is compared with its peers: ``python -m benchmarks``; see ``docs/performance.md``."""
