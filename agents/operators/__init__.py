"""How a new item is made of one that is there, one operator a file."""
