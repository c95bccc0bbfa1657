"""Tests, one file a subject, each test a sentence."""
