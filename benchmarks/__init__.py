"""Benchmarks and evidence: commands whose results are committed."""
