"""What leaves a run: samples and students with their cards."""
