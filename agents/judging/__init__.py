"""Judges: tried before they decide, and what they decide together."""
