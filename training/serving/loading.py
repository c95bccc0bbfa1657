"""Which weights a running server holds, and how others get there without a new start.

Full weights are swapped in place, and what the server remembers of prompts is thrown away. An adapter is loaded under
a new name, for one that was used before could be answered from what is remembered; adapters that were not asked for
lately are unloaded. Nothing counts as held before the proof.
"""

from dataclasses import dataclass, field

from ...memory.errors import UnavailableError
from ...memory.trace import span
from .launch import NAME
from .proof import Mismatch, prove
from .weights import Weights
from .wire import Refused, Wire

KEPT = 2
"""Adapters held at a time: the student and its candidate."""
PREFIX = "evolvent-"
"""How the name of every adapter of ours begins: others on a server of somebody else are let alone."""
SECONDS = 600.0
"""Wall-clock time a load may take."""


@dataclass(slots=True)
class Held:
    """What a server holds, as far as is known."""

    full: str = ""
    """Digest of the full weights; empty when unknown."""
    adapters: dict[str, str] = field(default_factory=dict)
    """Name of every adapter by digest, the one loaded last at the end."""
    loads: int = 0
    """Adapters loaded so far: each gets a new name."""
    _proved: set[str] = field(default_factory=set)

    def name_of(self, weights: Weights) -> str | None:
        """What weights are called there, or None if they are not held."""
        if weights.base_digest != self.full:
            return None
        return self.adapters.get(weights.digest) if weights.rank else NAME

    def proved(self, weights: Weights) -> bool:
        """Whether the server showed that it answers with them."""
        return weights.digest in self._proved

    def keep(self, weights: Weights) -> None:
        """Note down that it did."""
        self._proved.add(weights.digest)

    def doubt(self) -> None:
        """Hold everything to proof again, though it should still be there."""
        self._proved.clear()

    def forget(self) -> None:
        """Rely on nothing any more: a load is under way, or went wrong."""
        self.full = ""
        self._proved.clear()


async def bring(wire: Wire, weights: Weights, held: Held, *, dtype: str) -> str:
    """Have the server hold some weights and prove it; give their name.

    Raises:
        Refused: the server cannot load them.
        Mismatch: it answers with others all the same.
        UnavailableError: it does not answer.
    """
    name = held.name_of(weights)
    if name is not None and held.proved(weights):
        return name
    with span("weights", student=weights.digest, rank=weights.rank):
        try:
            name = await _load(wire, weights, held)
            await prove(wire, name, weights, dtype=dtype)
        except (Mismatch, Refused, UnavailableError):
            held.forget()
            raise
        held.keep(weights)
        return name


async def left_over(wire: Wire) -> Held:
    """What a server holds that is met for the first time: nothing to rely on, so adapters named by us are unloaded.

    Raises:
        Refused: it does not say what it holds, or keeps it.
        UnavailableError: it does not answer.
    """
    listed = await wire.get("/v1/models", seconds=SECONDS)
    try:
        names = [str(model["id"]) for model in listed["data"]]
    except (KeyError, TypeError) as error:
        raise Refused(f"{wire.url}/v1/models answered no list of models ({error!r}); is it vLLM?") from None
    for name in [name for name in names if name.startswith(PREFIX)]:
        await wire.post("/v1/unload_lora_adapter", {"lora_name": name}, seconds=SECONDS)
    return Held()


async def drop_all(wire: Wire, held: Held) -> None:
    """Unload every adapter of ours."""
    while held.adapters:
        await _drop(wire, next(iter(held.adapters)), held)


async def _load(wire: Wire, weights: Weights, held: Held) -> str:
    """Load weights unless they are held."""
    if held.full != weights.base_digest:
        await _swap(wire, weights, held)
    if not weights.rank:
        return NAME
    if weights.digest not in held.adapters:
        await _add(wire, weights, held)
    return held.adapters[weights.digest]


async def _swap(wire: Wire, weights: Weights, held: Held) -> None:
    """Put full weights in place of others; adapters belong to the old ones.

    Raises:
        Refused: the output layer is the embedding, of which a swap would keep the old one.
    """
    if weights.tied:
        raise Refused(
            f"the embeddings of {weights.base} are tied, and a server that swaps them keeps the old output layer; with "
            "trainer.lora the base stays as it is"
        )
    await drop_all(wire, held)
    held.forget()
    asked = {"method": "reload_weights", "kwargs": {"weights_path": str(weights.base)}}
    await wire.post("/collective_rpc", asked, seconds=SECONDS)
    await wire.post("/reset_prefix_cache", {}, seconds=SECONDS)
    held.full = weights.base_digest


async def _add(wire: Wire, weights: Weights, held: Held) -> None:
    while len(held.adapters) >= KEPT:
        await _drop(wire, next(iter(held.adapters)), held)
    held.loads += 1
    name = f"{PREFIX}{weights.digest}-{held.loads}"
    await wire.post("/v1/load_lora_adapter", {"lora_name": name, "lora_path": str(weights.path)}, seconds=SECONDS)
    held.adapters[weights.digest] = name


async def _drop(wire: Wire, digest: str, held: Held) -> None:
    await wire.post("/v1/unload_lora_adapter", {"lora_name": held.adapters[digest]}, seconds=SECONDS)
    del held.adapters[digest]
