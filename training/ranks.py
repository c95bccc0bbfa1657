"""Which of the processes that train a round together this is: a launcher says so in the environment."""

import os

SPREADING = ("ACCELERATE_USE_FSDP", "ACCELERATE_USE_DEEPSPEED")
"""What `accelerate launch` sets where one model lies in several processes."""


def world() -> int:
    """How many processes train together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def first() -> bool:
    """Whether this is the one that writes."""
    return os.environ.get("RANK", "0") == "0"


def together() -> bool:
    """Whether rows or weights are spread over processes, so that the model must be called as its wrapper wants."""
    return world() > 1 or any(os.environ.get(name) == "true" for name in SPREADING)
