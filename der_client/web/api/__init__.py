"""The API under ``/api``: the index's data for programs, as JSON pages, CSV or Parquet."""
