"""What a sample is worth."""
