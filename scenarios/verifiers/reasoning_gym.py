"""The answer is what the scorer of its task in reasoning-gym says it is (`pip install 'evolvent[reasoning]'`).

A task's `checks` say which item it is; the item is made again in a process that is killed where it takes too long, can
start no other, open no connection and write no file: some scorers evaluate an answer as a formula of Python.
"""

from typing import Self

from pydantic import Field, model_validator

from ...memory.records import Task, Verdict
from .. import gym
from ..scores import MEMORY, SECONDS
from ..verifier import Verifier
from ..worker import Overrun, worker

LONGEST = 20_000
"""Characters of an answer that are looked at."""


class ReasoningGym(Verifier):
    """Score as the package does, from 0 to 1; a task that somebody else wrote is compared with its reference."""

    seconds: float = Field(default=SECONDS, gt=0, le=600)
    """Time for making the item again and scoring an answer."""
    memory: int = Field(default=MEMORY, ge=512 << 20)
    """Bytes of address space of the process that scores."""

    @model_validator(mode="after")
    def _installed(self) -> Self:
        if not gym.installed():
            raise ValueError(gym.MISSING)
        return self

    def judge(self, task: Task, answer: str) -> Verdict:
        """Score an answer.

        Raises:
            ValueError: the package does not make this task.
        """
        said = answer.strip()[:LONGEST]
        reason = f"expected {task.answer[:200]!r}, got {said[:200]!r}"
        if not said or not task.checks:
            right = bool(said) and said == task.answer.strip()
            return Verdict(score=float(right), reason="" if right else reason)
        request = {"checks": task.checks, "prompt": task.prompt, "answer": said}
        try:
            reply = worker("scores", self.memory).ask(request, seconds=self.seconds)
        except Overrun as error:
            return Verdict(score=0.0, reason=f"{reason}; scoring it {error}")
        if broken := reply.get("broken"):
            raise ValueError(f"task {task.key!r}: {broken}")
        return Verdict(score=reply["score"], reason=f"{reason}; {reply['reason']}" if reply["reason"] else "")
