"""Asking any OpenAI-compatible endpoint: fast, bounded in time, size and money, one idea a file."""
