"""Settings of every test: no clock decides, and the same examples come each time."""

from hypothesis import settings

settings.register_profile("evolvent", deadline=None, derandomize=True)
settings.load_profile("evolvent")
