"""How a round is trained, one trainer a file."""
