"""What is done to a data set: the methods a scenario may name, and what they need around them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from ...memory.errors import ScenarioError
from ...memory.inference import Role
from ...memory.parts import PartSpec, explain, known
from ...scenarios.loader import amend, read
from ...scenarios.schema import Methods
from ..curators import ROOT

NAMED = ("enhancers", "scorer", "selector", "orderer")


class Recipe(Methods):
    """Methods and their surroundings."""

    near: float = Field(default=0.85, gt=0, le=1)
    """Jaccard similarity of character 3-grams from which rows are near duplicates; 1 keeps all but equal ones."""
    ngram: int = Field(default=8, ge=2)
    """Words in a row shared with an exam item that count as a leak."""
    embedder: PartSpec = PartSpec(name="hashing")
    """How text becomes a vector, for methods that look at meaning."""
    models: dict[Role, PartSpec] = Field(default={})
    """Engines that methods ask, by role: `models.scorer`."""


def compose(
    path: Path | None, *, select: str, score: str, order: str, enhance: Sequence[str], overrides: Sequence[str]
) -> Recipe:
    """Read a recipe from a TOML file, options and overrides, the later ones winning.

    Args:
        path: a file, if there is one.
        select: a selector; or a scorer, which brings the selector that goes with it. Empty for none.
        score: a scorer.
        order: an orderer.
        enhance: enhancers, in the order they are applied.
        overrides: `a.b=c`, each value read as TOML.

    Raises:
        ScenarioError: something in it cannot be, with the place and the way out.
    """
    value: dict[str, Any] = read(path) if path else {}
    if select:
        scores = select not in known(f"{ROOT}.selectors") and select in known(f"{ROOT}.scorers")
        value["scorer" if scores else "selector"] = select
    value |= {"scorer": score} if score else {}
    value |= {"orderer": order} if order else {}
    value |= {"enhancers": list(enhance)} if enhance else {}
    for said in overrides:
        amend(value, said)
    try:
        return Recipe.model_validate(value)
    except ValidationError as error:
        raise ScenarioError(explain(error, where=str(path or "curate"), model=Recipe)) from None
