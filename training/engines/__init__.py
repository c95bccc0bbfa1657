"""How the student answers, one engine a file."""
