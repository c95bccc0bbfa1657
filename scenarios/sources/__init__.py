"""Where tasks come from, one source a file."""
