"""A vLLM server of the session's own, and what it answers with; one idea a file."""
