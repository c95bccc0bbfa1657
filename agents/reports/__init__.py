"""What a session came to and what is seen of it, for people and for programs."""
