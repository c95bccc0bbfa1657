"""The target: the scenario schema, task sources, verifiers and the shipped scenarios."""
