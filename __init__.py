"""Evolvent: agents that grow the data that grows the model."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .memory.reading import Run

__version__ = "0.1.0"
__all__ = ["Run", "__version__"]


def __getattr__(name: str) -> object:
    # what a program reads runs with is imported when it is asked for: `evolvent --help` must not wait for it
    if name == "Run":
        from .memory.reading import Run

        return Run
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
