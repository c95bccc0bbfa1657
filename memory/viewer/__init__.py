"""The viewer: a run as web pages, read only, from its SQLite files alone."""
