"""Who writes probes and samples, one teacher a file."""
