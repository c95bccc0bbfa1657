"""Evolvent: agents that grow the data that grows the model."""

__version__ = "0.1.0"
