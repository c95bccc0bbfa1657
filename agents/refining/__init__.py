"""A data set that somebody brings, curated without a session."""
