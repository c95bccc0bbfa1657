"""Whether a vLLM server would serve a session, found out without starting one or loading anything."""

from http import HTTPStatus

from ...memory.errors import UnavailableError
from ...memory.finding import Finding
from ...scenarios.schema import Student
from .launch import HEADS, NAME, RANKS, installed_build
from .server import answers
from .wire import Refused, Wire

ADAPTERS, WEIGHTS = "/v1/load_lora_adapter", "/collective_rpc"
"""Routes that bring an adapter or full weights in."""
HASTE = 10.0
"""Seconds a call may take."""


def here(student: Student, *, rank: int, room: int) -> list[Finding]:
    """Look at what a started server needs.

    Args:
        student: whose weights it serves.
        rank: of the adapters that rounds train; 0 for full weights.
        room: largest rank it would be started for.
    """
    try:
        build = installed_build()
    except UnavailableError as error:
        return [Finding.of_error("engine vllm", error)]
    return [_room(rank, room), *([_heads(student)] if build.startswith("cpu") else [])]


async def elsewhere(url: str, *, rank: int) -> list[Finding]:
    """Look at a server that somebody else started."""
    if not await answers(url):
        remedy = f"start it with --served-model-name {NAME}, or leave student.engine.url away to have one started"
        return [Finding("engine vllm", "fail", f"{url} does not answer for a model called {NAME!r}", remedy)]
    found = [Finding("engine vllm", "ok", f"{url} answers")]
    about, route = ("LoRA route", ADAPTERS) if rank else ("weights route", WEIGHTS)
    switches = "VLLM_ALLOW_RUNTIME_LORA_UPDATING=1 and --enable-lora" if rank else "VLLM_SERVER_DEV_MODE=1"
    if await _offers(url, route):
        return [*found, Finding(about, "ok", f"{url} has {route}")]
    return [*found, Finding(about, "fail", f"{url} has no {route}", f"start it with {switches}")]


def _room(rank: int, room: int) -> Finding:
    if rank > room:
        fits = min(r for r in RANKS if r >= rank)
        return Finding(
            "LoRA route", "fail", f"rounds train adapters of rank {rank}, the server has room for {room}",
            f"set student.engine.rank = {fits}",
        )  # fmt: skip
    said = f"adapters of rank {rank} fit into {room}" if rank else "rounds train full weights, which need none"
    return Finding("LoRA route", "ok", said)


def _heads(student: Student) -> Finding:
    width = student.hidden // student.heads
    if width in HEADS:
        return Finding("attention heads", "ok", f"{width} wide, which the CPU build computes")
    fitting = [n for n in range(1, student.hidden) if student.hidden % (2 * n) == 0 and student.hidden // n in HEADS]
    remedy = f"set student.heads = {fitting[-1]}" if fitting else "set student.hidden = 96 and student.heads = 3"
    return Finding("attention heads", "fail", f"{width} wide, the CPU build has {', '.join(map(str, HEADS))}", remedy)


async def _offers(url: str, route: str) -> bool:
    """Whether a server knows a route: asked in the wrong way, it says so, and does nothing."""
    try:
        async with Wire(url) as wire:
            await wire.get(route, seconds=HASTE)
    except Refused as refused:
        return refused.status == HTTPStatus.METHOD_NOT_ALLOWED
    except UnavailableError:
        return False
    return True
