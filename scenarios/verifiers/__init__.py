"""How an answer is judged, one verifier a file."""
