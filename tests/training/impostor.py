"""A small server that speaks as much of vLLM as Evolvent asks for, and answers from the weights on disk.

Run as a program it serves at a socket until it ends: `python -m evolvent.tests.training.impostor <socket> <folder>`.
"""

import asyncio
import contextlib
import sys
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

from aiohttp import web

from evolvent.training.serving import address, proof
from evolvent.training.serving.launch import NAME
from evolvent.training.serving.weights import read


class Impostor:
    """Holds a student and adapters as vLLM does."""

    def __init__(self, student: Path) -> None:
        self.models = {NAME: self._load(student)}
        self.url = ""
        """Where it is served."""
        self.calls: list[str] = []
        """Paths asked, in order."""
        self.broken: set[str] = set()
        """Paths that answer 500."""
        self.asleep = False
        """Whether its memory is given away, so that it answers nothing."""
        self.woken: Path | None = None
        """What it holds after a sleep, where that is not what it held before."""

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._watch])
        app.router.add_get("/v1/models", self._list)
        app.router.add_post("/v1/completions", self._complete)
        app.router.add_post("/v1/load_lora_adapter", self._add)
        app.router.add_post("/v1/unload_lora_adapter", self._drop)
        app.router.add_post("/collective_rpc", self._swap)
        app.router.add_post("/reset_prefix_cache", self._reset)
        app.router.add_post("/sleep", self._sleep)
        app.router.add_post("/wake_up", self._wake)
        app.router.add_get("/is_sleeping", self._sleeping)
        return app

    def _load(self, folder: Path) -> Any:
        return proof.load(read(folder))

    @web.middleware
    async def _watch(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.calls.append(request.path)
        if request.path in self.broken:
            return web.Response(status=500, text="broken")
        return await handler(request)

    async def _list(self, _: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": name} for name in self.models]})

    async def _add(self, request: web.Request) -> web.Response:
        asked = await request.json()
        if asked["lora_name"] in self.models:
            return web.Response(status=400, text="already loaded")
        self.models[asked["lora_name"]] = self._load(Path(asked["lora_path"]))
        return web.Response(text="Success")

    async def _drop(self, request: web.Request) -> web.Response:
        asked = await request.json()
        known = self.models.pop(asked["lora_name"], None)
        return web.Response(status=404 if known is None else 200, text="Done")

    async def _swap(self, request: web.Request) -> web.Response:
        asked = await request.json()
        self.models[NAME] = self._load(Path(asked["kwargs"]["weights_path"]))
        return web.json_response({"results": [None]})

    async def _reset(self, _: web.Request) -> web.Response:
        return web.Response()

    async def _sleep(self, request: web.Request) -> web.Response:
        assert request.query["level"] == "1"
        self.asleep = True
        return web.Response()

    async def _wake(self, _: web.Request) -> web.Response:
        self.asleep = False
        if self.woken:
            self.models[NAME] = self._load(self.woken)
        return web.Response()

    async def _sleeping(self, _: web.Request) -> web.Response:
        return web.json_response({"is_sleeping": self.asleep})

    async def _complete(self, request: web.Request) -> web.Response:
        if self.asleep:
            return web.Response(status=503, text="asleep")
        asked = await request.json()
        if asked["model"] not in self.models:
            return web.Response(status=404, text="no such model")
        prompts = asked["prompt"] if isinstance(asked["prompt"][0], list) else [asked["prompt"]]
        ends = set() if asked.get("ignore_eos") else set(asked.get("stop_token_ids", []))
        model = self.models[asked["model"]]
        likeliest = asked.get("logprobs") or 0
        choices = [_greedy(model, prompt, asked["max_tokens"], ends, likeliest) for prompt in prompts]
        return web.json_response({"choices": [{"index": i, **choice} for i, choice in enumerate(choices)]})


def _greedy(model: Any, prompt: list[int], longest: int, ends: set[int], likeliest: int) -> dict[str, Any]:
    import torch

    tokens: list[int] = []
    chances: list[float] = []
    top: list[dict[str, float]] = []
    with torch.inference_mode():
        while len(tokens) < longest and not ends & set(tokens):
            said = model(input_ids=torch.tensor([prompt + tokens]), use_cache=False).logits[0, -1].log_softmax(-1)
            tokens.append(int(said.argmax()))
            chances.append(float(said.max()))
            values, ids = said.topk(likeliest)
            top.append({f"token_id:{i}": p for i, p in zip(ids.tolist(), values.tolist(), strict=True)})
    return {"token_ids": tokens, "logprobs": {"token_logprobs": chances, "top_logprobs": top}}


async def start(impostor: Impostor, url: str) -> web.AppRunner:
    """Serve at a socket."""
    impostor.url = url
    runner = web.AppRunner(impostor.app(), shutdown_timeout=0)
    await runner.setup()
    await web.UnixSite(runner, str(address.path_of(url))).start()
    return runner


@contextlib.contextmanager
def serving(impostor: Impostor, url: str) -> Generator[Impostor]:
    """Serve in a thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    runner = asyncio.run_coroutine_threadsafe(start(impostor, url), loop).result()
    try:
        yield impostor
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
        address.remove(url)


async def main(url: str, student: Path) -> None:
    """Serve in this process until it is ended."""
    await start(Impostor(student), url)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(address.SCHEME + sys.argv[1], Path(sys.argv[2])))
