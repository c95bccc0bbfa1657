"""The viewer: a run as web pages, read only, from SQLite and Parquet alone."""
