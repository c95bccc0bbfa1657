"""Proofs about the memory room."""
