"""Settings of every test: no clock decides, the same examples come each time, and what is not installed is said."""

from importlib.util import find_spec

import pytest
from hypothesis import settings

settings.register_profile("evolvent", deadline=None, derandomize=True)
settings.load_profile("evolvent")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave tests of the real vLLM out where it is not installed."""
    if find_spec("vllm") is None:
        for item in items:
            if "vllm" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="vLLM is not installed; try: make vllm"))
