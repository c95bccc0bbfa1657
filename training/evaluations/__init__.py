"""Evaluations of whole students, one file each; each is a subclass of `Evaluation`."""
