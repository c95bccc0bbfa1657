"""A deterministic OpenAI-compatible endpoint that can misbehave on demand.

It sees only the request. Two-operand sums written ones first are worked, a JSON schema with one answer gets it, and
anything else is repeated. Where probabilities are asked for, a table says how likely which first token is. Which
calls misbehave is a list of names, one a call; past its end, or for `""`, it behaves.

`python -m evolvent.tests.endpoint` serves in a process of its own and prints its address; its calls then take a
log-normal time in one of a number of slots, as behind a real server.
"""

import argparse
import asyncio
import contextlib
import json
import math
import random
import re
import threading
import time
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from typing import Any

from aiohttp import web

MODEL = "tester"
HANG = 30.0
"""Seconds a call hangs or drips; far past every deadline of a test."""

Misbehaviour = Callable[[web.Request, dict[str, Any]], Awaitable[web.StreamResponse]]


class Endpoint:
    """The server's state: what it was asked and how it will misbehave."""

    def __init__(self, faults: Sequence[str] = (), *, binds: bool = True) -> None:
        self.faults = list(faults)
        self.binds = binds
        """Whether a JSON schema binds."""
        self.always = ""
        """How every call past the list misbehaves."""
        self.model = MODEL
        """Model it lists and answers as."""
        self.listed: object = None
        """What its list of models is instead of one."""
        self.weigh: Callable[[str], Mapping[str, float]] | None = None
        """Chances of first tokens after a prompt, or none are told."""
        self.bodies: list[dict[str, Any]] = []
        """What was asked, canaries included."""
        self.headers: list[dict[str, str]] = []
        self.at_once = 0
        self.most_at_once = 0
        self.longest = 0.0
        """Seconds of the longest call, until it was answered or whoever asked went away."""
        self.url = ""
        self.slots: asyncio.Semaphore | None = None
        self.latency: Callable[[str], float] | None = None
        self.stall = (0.0, 0.0)
        """Seconds after the first call between which nothing goes on; calls under way end that much later."""
        self.worked = 0.0
        """Slot seconds of all finished calls."""
        self.span = (0.0, 0.0)
        """When the first call came and when the last one ended, of a clock that only goes forward."""
        self.answered = 0
        """Calls that did not misbehave."""
        self._since = 0.0

    def app(self) -> web.Application:
        """The server."""
        app = web.Application()
        app.router.add_get("/v1/models", self._models)
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_get("/v1/worked", self._worked)
        app.router.add_get("/v1/spanned", self._spanned)
        return app

    async def _worked(self, _: web.Request) -> web.Response:
        return web.json_response(self.worked)

    async def _spanned(self, _: web.Request) -> web.Response:
        first, last = self.span
        return web.json_response({"seconds": last - first, "answered": self.answered})

    async def _work(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        self._since = self._since or loop.time()
        begin, end = (self._since + moment for moment in self.stall)
        over = loop.time() + seconds
        if begin < over and loop.time() < end:
            over = end + over - max(begin, loop.time())
        await asyncio.sleep(over - loop.time())
        self.worked += seconds

    async def _models(self, _: web.Request) -> web.Response:
        listed = {"object": "list", "data": [{"id": self.model, "object": "model"}]}
        return web.json_response(listed if self.listed is None else self.listed)

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        since = time.monotonic()
        body = json.loads(await request.read())
        self.bodies.append(body)
        self.headers.append(dict(request.headers))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if self.slots is not None and self.latency is not None:
                async with self.slots:
                    await self._work(self.latency(asked(body)))
            fault = self.trouble(body)
            self.answered += not fault
            return await FAULTS[fault](request, body) if fault else web.json_response(self.reply(body))
        finally:
            self.at_once -= 1
            self.longest = max(self.longest, time.monotonic() - since)
            self.span = (self.span[0] or since, time.monotonic())

    def trouble(self, body: dict[str, Any]) -> str:
        """How a call misbehaves; empty when it does not."""
        del body
        return self.faults.pop(0) if self.faults else self.always

    def reply(self, body: dict[str, Any]) -> dict[str, Any]:
        """What a server that behaves answers."""
        made = answer(body, [self._say(body)] * body.get("n", 1), model=self.model)
        if body.get("logprobs") and self.weigh is not None:
            for choice in made["choices"]:
                choice["logprobs"] = logprobs(self.weigh(asked(body)), body["top_logprobs"])
        return made

    def _say(self, body: dict[str, Any]) -> str:
        schema = body.get("response_format", {}).get("json_schema", {}).get("schema")
        if schema and self.binds:
            return json.dumps({name: _value(part) for name, part in schema["properties"].items()})
        return work(asked(body))


def asked(body: dict[str, Any]) -> str:
    """The last turn, which may come as a list of parts."""
    content = body["messages"][-1]["content"]
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


def work(prompt: str) -> str:
    """Work a sum, or repeat what is no sum."""
    found = re.fullmatch(r"(\d+)([-+*])(\d+)", prompt)
    if found is None:
        return prompt
    a, b = int(found[1][::-1]), int(found[3][::-1])
    return str({"+": a + b, "-": a - b, "*": a * b}[found[2]])[::-1]


def answer(body: dict[str, Any], texts: Sequence[str], *, model: str = MODEL) -> dict[str, Any]:
    """The JSON of an answer."""
    choices = [
        {"index": i, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        for i, text in enumerate(texts)
    ]
    given, made = len(str(body["messages"])), sum(map(len, texts))
    usage = {"prompt_tokens": given, "completion_tokens": made, "total_tokens": given + made}
    return {"id": "1", "object": "chat.completion", "created": 0, "model": model, "choices": choices, "usage": usage}


def logprobs(chances: Mapping[str, float], most: int) -> dict[str, Any]:
    """Probabilities of the first token, as the format has them."""
    ranked = sorted(chances.items(), key=lambda entry: -entry[1])[:most]
    top = [{"token": token, "logprob": math.log(chance), "bytes": [*token.encode()]} for token, chance in ranked]
    return {"content": [{**top[0], "top_logprobs": top}]}


def _value(schema: dict[str, Any]) -> Any:
    return schema["enum"][0] if "enum" in schema else {"string": "a", "integer": 1}[schema["type"]]


def status(code: int, **headers: str) -> Misbehaviour:
    """Answer with a status and an error object."""

    async def misbehave(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        del body
        said = {"error": {"message": f"refused, key was {request.headers.get('Authorization')}"}}
        return web.json_response(said, status=code, headers={k.replace("_", "-"): v for k, v in headers.items()})

    return misbehave


def saying(text: str, content: str = "application/json") -> Misbehaviour:
    """Answer 200 with a text."""

    async def misbehave(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        del request, body
        return web.Response(text=text, content_type=content)

    return misbehave


def speaking(text: str, **changes: Any) -> Misbehaviour:
    """Answer as a model that says this, with parts of the reply changed."""

    async def misbehave(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        del request
        return web.json_response({**answer(body, [text]), **changes})

    return misbehave


def said(text: str, **fields: Any) -> Misbehaviour:
    """Answer as a model that says this, with more in its message."""
    message = {"role": "assistant", "content": text, **fields}
    return speaking(text, choices=[{"index": 0, "message": message, "finish_reason": "stop"}])


async def twice(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    """Answer with one sample too many."""
    del request
    return web.json_response(answer(body, ["1", "2"]))


async def reset(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    """Send half a reply and drop the connection."""
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(json.dumps(answer(body, ["half"])).encode()[:20])
    assert request.transport is not None
    request.transport.abort()
    return response


async def hang(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    """Say nothing."""
    del request, body
    await asyncio.sleep(HANG)
    return web.Response()


async def drip(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    """Send a good reply, a byte at a time."""
    response = web.StreamResponse()
    await response.prepare(request)
    for byte in json.dumps(answer(body, ["slow"])).encode():
        await response.write(bytes([byte]))
        await asyncio.sleep(0.1)
    return response


async def pour(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    """Send 10 MB without saying how much will come."""
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(100):
        await response.write(b"x" * 100_000)
    return response


CHUNK = 'data: {"choices":[{"index":0,"delta":{"content":"1"}}]}\n\n'
FAULTS: dict[str, Misbehaviour] = {
    "429": status(429),
    "429 after 0.3": status(429, Retry_After="0.3"),
    "429 after nothing": status(429, Retry_After="0"),
    "429 after an hour": status(429, Retry_After="3600"),
    "429 after nonsense": status(429, Retry_After="soon"),
    "400": status(400),
    "401": status(401),
    "500": status(500),
    "redirect": status(307, Location="http://127.0.0.1:9/v1"),
    "reset": reset,
    "hang": hang,
    "drip": drip,
    "truncated": saying('{"choices": [{"message": {"role": "assi'),
    "html": saying("<html><body>Please log in</body></html>", "text/html"),
    "error with 200": saying('{"error": {"message": "overloaded"}}'),
    "no choices": speaking("", choices=[]),
    "duplicate chunks": saying(CHUNK * 2, "text/event-stream"),
    "deep": saying("[" * 100_000 + "]" * 100_000),
    "half a character": speaking("\ud800"),
    "wrong schema": speaking('{"colour": 7}'),
    "prose": speaking("The weather is fine."),
    "10 MB": speaking("x" * 10_000_000),
    "10 MB unannounced": pour,
    "tool calls of a kind": said("4", tool_calls=True),
    "countless": speaking("4", usage={"prompt_tokens": 10**30, "completion_tokens": 1}),
    "two choices": twice,
    "another model": speaking("1", model="impostor"),
}


@contextlib.contextmanager
def serving(endpoint: Endpoint, *, port: int = 0) -> Generator[Endpoint]:
    """Serve on loopback in a thread."""
    loop = asyncio.new_event_loop()

    async def start() -> web.AppRunner:
        runner = web.AppRunner(endpoint.app(), shutdown_timeout=0, handler_cancellation=True)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        endpoint.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        return runner

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    runner = asyncio.run_coroutine_threadsafe(start(), loop).result()
    try:
        yield endpoint
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def main() -> None:
    """Serve in this process until standard input ends."""
    parser = argparse.ArgumentParser(prog="evolvent.tests.endpoint")
    parser.add_argument("--slots", type=int, default=256)
    parser.add_argument("--mean", type=float, default=0.2, help="seconds of a call")
    parser.add_argument("--sigma", type=float, default=0.5, help="of the logarithm of its time")
    parser.add_argument("--faults", type=float, default=0.0, help="share of calls that answer 500")
    parser.add_argument("--stall", type=float, nargs=2, default=(0.0, 0.0), help="seconds after the first call")
    options = parser.parse_args()
    rng = random.Random(0)
    middle = math.log(options.mean) - options.sigma**2 / 2
    endpoint = Endpoint()
    endpoint.slots = asyncio.Semaphore(options.slots)
    # the same question takes the same time, so that two clients can be compared
    endpoint.latency = lambda prompt: random.Random(prompt).lognormvariate(middle, options.sigma)
    endpoint.stall = tuple(options.stall)
    if options.faults:
        endpoint.faults = ["500" if rng.random() < options.faults else "" for _ in range(40_000)]
    with serving(endpoint):
        print(endpoint.url, flush=True)
        with contextlib.suppress(EOFError):
            input()


if __name__ == "__main__":
    main()
