"""Which samples are trained on."""
