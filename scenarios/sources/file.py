"""Tasks from a JSON Lines, CSV or Parquet file of your own, one row a task.

The file is read once and kept by path, time, size and columns.
"""

from ..tabular import Columned, Filed


class File(Columned, Filed):
    """Rows of a JSON Lines (`.jsonl`), CSV (`.csv`) or Parquet (`.parquet`) file."""
