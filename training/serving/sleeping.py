"""A server that gives its GPU memory to a round of training and takes it back: vLLM's sleep mode.

At level 1 the weights wait in main memory and the cache is thrown away. Adapters are unloaded before, for what is left
of them after a sleep is not sure to be what it was (vLLM issue 53888); after it nothing counts as proved, so weights
are compared with the disk before they answer.
"""

from .loading import Held, drop_all
from .wire import Wire

LEVEL = 1
"""Weights in main memory; at level 2 they are thrown away, and a server with room for adapters cannot load them again
(vLLM issue 39934)."""
SECONDS = 300.0
"""Wall-clock time that moving the weights may take."""


async def rest(wire: Wire, held: Held) -> None:
    """Give the GPU memory away.

    Raises:
        Refused: the server does not sleep.
        UnavailableError: it does not answer.
    """
    await drop_all(wire, held)
    await wire.post(f"/sleep?level={LEVEL}", {}, seconds=SECONDS)
    held.doubt()


async def wake(wire: Wire, held: Held) -> None:
    """Take it back, and rely on nothing that was proved before.

    Raises:
        Refused: the server does not wake up.
        UnavailableError: it does not answer.
    """
    await wire.post("/wake_up", {}, seconds=SECONDS)
    held.doubt()


async def sleeps(wire: Wire) -> bool:
    """Whether a server is asleep; see `rest` for what it raises."""
    said = await wire.get("/is_sleeping", seconds=SECONDS)
    return isinstance(said, dict) and bool(said.get("is_sleeping"))


async def rouse(wire: Wire) -> None:
    """Wake a server that may be asleep; see `wake`."""
    if await sleeps(wire):
        await wire.post("/wake_up", {}, seconds=SECONDS)
