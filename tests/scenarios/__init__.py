"""Tests of the target: scenario files, sources, verifiers, splits and their validation."""
