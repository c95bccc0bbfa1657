"""A vLLM server somebody else started: used as it is when it holds the right weights, else asked to load them."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from ...memory.errors import UnavailableError
from .launch import NAME
from .loading import Held, bring, left_over
from .proof import Mismatch
from .server import answers
from .weights import Weights
from .wire import Refused, Wire


class Remote:
    """A server at a URL; it reads the same folders as this process."""

    def __init__(self, url: str, dtype: str) -> None:
        self.url = url
        self.dtype = dtype
        self._held: Held | None = None
        self._one = asyncio.Lock()

    @asynccontextmanager
    async def serving(self, weights: Weights) -> AsyncGenerator[tuple[Wire, str]]:
        """Answer with some weights while inside; see `Server.serving`.

        Raises:
            UnavailableError: nobody answers there, or not with these weights.
        """
        async with self._one:
            if not await answers(self.url):
                raise UnavailableError(
                    f"{self.url} does not answer for a model called {NAME!r}; start it with "
                    f"--served-model-name {NAME}, or leave student.engine.url away to have one started"
                )
            async with Wire(self.url) as wire:
                yield wire, await self._bring(wire, weights)

    async def _bring(self, wire: Wire, weights: Weights) -> str:
        try:
            if self._held is None:
                self._held = await left_over(wire)
                # it may have been started for them, and then needs none of the routes that load
                self._held.full = weights.base_digest
                with contextlib.suppress(Mismatch):
                    return await bring(wire, weights, self._held, dtype=self.dtype)
            return await bring(wire, weights, self._held, dtype=self.dtype)
        except (Mismatch, Refused) as error:
            raise UnavailableError(
                f"{self.url} cannot answer with {weights.path} ({error}); start it with VLLM_SERVER_DEV_MODE=1 "
                "on a machine that sees this folder, or leave student.engine.url away to have one started"
            ) from error
