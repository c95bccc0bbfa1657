"""Data of the shipped scenarios, and the programs that made it."""
