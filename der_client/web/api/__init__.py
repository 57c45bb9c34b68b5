"""The API below ``/api``: the index's answers for programs, as JSON pages, CSV or Parquet."""
