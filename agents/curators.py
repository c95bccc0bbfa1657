"""The methods of curation that a scenario names, found and built."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from ..memory.inference import Role
from ..memory.parts import Part, PartSpec, load
from ..scenarios.schema import Methods
from ..training.curation.enhancer import Enhancer
from ..training.curation.orderer import Orderer
from ..training.curation.scorer import Scorer
from ..training.curation.selector import Selector

P = TypeVar("P", bound=Part)
ROOT = __name__.rpartition(".agents")[0] + ".training.curation"
"""Where the folders of methods are."""
ASKED: tuple[Literal["scorer", "teacher"], ...] = ("scorer", "teacher")
"""Roles of the models that methods may ask."""


@dataclass(frozen=True)
class Curators:
    """Who makes candidates better, says what they are worth, chooses and orders them."""

    enhancers: tuple[Enhancer, ...] = ()
    """In the order they are applied."""
    scorer: Scorer | None = None
    selector: Selector | None = None
    """Without one, all that passes the rules is trained on."""
    orderer: Orderer | None = None
    """Without one, the order is drawn by the seed."""

    @classmethod
    def resolve(cls, named: Methods, where: str, *, chooses: bool, allow_import: bool = False) -> "Curators":
        """Find and build them.

        Args:
            named: what names them.
            where: file, for messages.
            chooses: whether a scorer comes with the selector that goes with it, where none is named.
            allow_import: load modules of the user's own.

        Raises:
            PartError: naming the file, the part and the way out.
        """

        def one(spec: PartSpec, base: type[P]) -> P:
            return load(spec, base=base, package=f"{ROOT}.{base.kind}s", where=where, allow_import=allow_import)

        scorer = one(named.scorer, Scorer) if named.scorer else None
        selector = named.selector
        if selector is None and scorer is not None and chooses:
            selector = PartSpec(name=scorer.goes_with)
        return cls(
            tuple(one(spec, Enhancer) for spec in named.enhancers),
            scorer,
            one(selector, Selector) if selector else None,
            one(named.orderer, Orderer) if named.orderer else None,
        )

    def faults(self, models: Collection[Role]) -> list[str]:
        """Why they cannot work together, and the way out; nothing where they can.

        Args:
            models: roles whose model the scenario names.
        """
        found: list[str] = []
        if self.scorer is None:
            for part in (self.selector, self.orderer):
                if part is not None and part.scored:
                    found.append(f"{part.kind} {part.name!r} goes by scores; name a scorer in curation.scorer")
        elif not any(part is not None and part.scored for part in (self.selector, self.orderer)):
            found.append(
                f"nobody reads the scores of {self.scorer.name!r}; name a selector or an orderer that goes by scores, "
                f"such as selector = {self.scorer.goes_with!r}, or remove it"
            )
        parts = [part for part in (*self.enhancers, self.scorer) if part is not None]
        return found + [
            f"{part.kind} {part.name!r} asks a {role}; name its engine in [models.{role}]"
            for role in ASKED
            if role not in models
            for part in parts
            if role in part.needs
        ]

    def describe(self) -> dict[str, Any]:
        """Names and settings of those that are there."""
        enhancers = [enhancer.describe() for enhancer in self.enhancers]
        single = {p.kind: p.describe() for p in (self.scorer, self.selector, self.orderer) if p is not None}
        return {**({"enhancers": enhancers} if enhancers else {}), **single}
