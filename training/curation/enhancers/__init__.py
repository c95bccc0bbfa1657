"""Better samples, or none."""
