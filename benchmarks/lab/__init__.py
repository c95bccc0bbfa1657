"""The laboratory: one experiment a file, found by its name, each with a claim, a protocol and what came out.

A file has a docstring that says claim, paper, protocol and expected direction, and one function `experiment()`.
"""
