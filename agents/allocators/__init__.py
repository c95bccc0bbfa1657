"""How a round's budget is split, one allocator a file."""
