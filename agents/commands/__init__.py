"""The commands beside `run` and `resume`, and what they say."""
