"""How text becomes a vector, one embedder a file."""
