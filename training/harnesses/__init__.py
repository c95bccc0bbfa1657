"""Programs that evaluate a student with packages of others; each is run by name and never imported."""
