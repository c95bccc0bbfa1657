"""Where vectors are searched, one store a file."""
