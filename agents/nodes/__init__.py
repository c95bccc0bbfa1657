"""The steps of the loop, one node a file."""
