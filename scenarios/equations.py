"""Compares mathematics with math-verify: what verifier `math` has done in a process of its own."""

from importlib import import_module
from typing import Any

DIGITS = 6
"""Significant places in which decimal fractions have to agree."""


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Compare two texts.

    Args:
        request: `reference` and `answer`.

    Returns:
        Whether they are `equal`, and what was read in each, empty where nothing was.
    """
    library: Any = import_module("math_verify")  # it may not be installed, and has no types
    parse, verify = library.parse, library.verify
    # whoever started this process keeps its time
    wanted = _read(parse, request["reference"])
    given = parse(request["answer"], parsing_timeout=None)
    equal = bool(wanted and given and verify(wanted, given, float_rounding=DIGITS, timeout_seconds=None))
    return {"equal": equal, "reference": _shown(wanted), "answer": _shown(given)}


def _read(parse: Any, reference: str) -> list[Any]:
    """Read a reference, which may be a formula without the marks that an answer needs."""
    return parse(f"\\boxed{{{reference}}}", parsing_timeout=None) or parse(reference, parsing_timeout=None)


def _shown(found: list[Any]) -> str:
    return str(found[-1])[:200] if found else ""
