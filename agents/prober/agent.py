"""The prober as a LangGraph graph: it thinks, its tools act, and it thinks again until it is done or its turns are up.

    think ⇄ act
      └→ end

The graph keeps no checkpoints. A session that goes on runs it again from the start: the model's replies are in the
store of answers, the student is greedy, and so every step comes to the same and costs nothing.
"""

import asyncio
import contextvars
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from ...memory import conventions
from ...memory.inference import Message, Model, Request
from ...memory.prompting import data
from ...memory.trace import span
from .tools import Toolbox

AT_ONCE = 4
"""Calls of one turn that are heeded."""


class Talk(TypedDict):
    """What travels through the graph."""

    turns: tuple[Message, ...]
    """The conversation so far."""
    calls: tuple[Message, ...]
    """Tools to be called now."""
    step: int


@dataclass(frozen=True, slots=True)
class Prober:
    """An agent with tools and a limited number of turns."""

    model: Model
    system: str
    prompt: str
    toolbox: Toolbox
    steps: int
    """Turns it has."""
    longest: int
    """Tokens a turn may have."""

    async def run(self) -> None:
        """Look for weaknesses; what was borne out is in the toolbox then."""
        from langgraph.graph import END, START, StateGraph

        graph: Any = StateGraph(Talk)
        graph.add_node("think", self._think)
        graph.add_node("act", self._act)
        graph.add_edge(START, "think")
        graph.add_conditional_edges("think", self._after_thinking, {True: "act", False: END})
        graph.add_conditional_edges("act", self._after_acting, {True: "think", False: END})
        begin = Talk(turns=({"role": "user", "content": self.prompt},), calls=(), step=0)
        with conventions.agent("prober", skill=self.toolbox.bench.skill, steps=self.steps):
            await _apart(graph.compile().ainvoke(begin, {"recursion_limit": 2 * self.steps + 2}))

    async def _think(self, talk: Talk) -> Talk:
        tools = self.toolbox.described()
        request = Request("", self.longest, system=self.system, messages=talk["turns"], tools=tools)
        with span("prober thinks", step=talk["step"]):
            (reply,) = await self.model.ask([request])
        said = reply.completion
        calls = _calls(said.calls, talk["step"]) if said is not None else ()
        if said is None or not calls:
            return Talk(turns=talk["turns"], calls=(), step=talk["step"] + 1)
        turn = {"role": "assistant", "content": said.text, "tool_calls": list(calls)}
        return Talk(turns=(*talk["turns"], turn), calls=calls, step=talk["step"] + 1)

    def _after_thinking(self, talk: Talk) -> bool:
        return bool(talk["calls"])

    def _after_acting(self, talk: Talk) -> bool:
        return talk["step"] < self.steps

    async def _act(self, talk: Talk) -> Talk:
        turns: list[Message] = []
        for call in talk["calls"]:
            result = await self.toolbox.call(call["function"]["name"], call["function"]["arguments"], id=call["id"])
            turns.append({"role": "tool", "tool_call_id": call["id"], "content": data(result)})
        return Talk(turns=(*talk["turns"], *turns), calls=(), step=talk["step"])


async def _apart(work: Coroutine[Any, Any, object]) -> None:
    """Run a graph for itself: inside another one it would write into that one's checkpoints, at its durability."""
    from langchain_core.runnables.config import var_child_runnable_config

    context = contextvars.copy_context()
    context.run(var_child_runnable_config.set, None)
    await asyncio.create_task(work, context=context)


def _calls(given: Sequence[Mapping[str, Any]], step: int) -> tuple[Message, ...]:
    """Calls in one form, under names of our own: a server's are random, and the next request must not be."""
    functions = [call.get("function") for call in given[:AT_ONCE]]
    return tuple(
        {
            "id": f"call-{step}-{i}",
            "type": "function",
            "function": {"name": str(function.get("name", "")), "arguments": str(function.get("arguments", ""))},
        }
        for i, function in enumerate(functions)
        if isinstance(function, Mapping)
    )
