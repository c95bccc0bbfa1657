"""An engine without a model, for tests, docs and a first look: it works sums and fails where it is told to.

It sees the request and nothing else: no skill, no seed, no reference answer.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from ...memory.files import digest
from ...memory.inference import Completion, Engine, Request, require
from ...memory.talk import Question, text_of
from ..engine import EnginePart


class Scripted(EnginePart):
    """Answer two-operand sums written ones first, deterministically."""

    fails: str = ""
    """Regular expression; prompts in which it is found are answered wrongly."""

    def open(self, checkpoint: Path) -> Engine:
        """Serve; the checkpoint is not looked at."""
        del checkpoint
        return _Script(self.fails)


class _Script:
    forced = True
    paid = False

    def __init__(self, fails: str) -> None:
        self._fails = re.compile(fails) if fails else None
        self.student = digest(["scripted", fails])

    def close(self) -> None:
        pass

    async def answer(self, requests: Sequence[Request]) -> list[Completion]:
        require(requests, engine="scripted", takes=())
        texts = [self._say(request.prompt) for request in requests]
        return [Completion(text, len(text), complete=True) for text in texts]

    async def agrees(self, pairs: Sequence[tuple[Question, str]]) -> list[bool]:
        return [self._say(text_of(question)) == answer for question, answer in pairs]

    def _say(self, prompt: str) -> str:
        found = re.fullmatch(r"(\d+)([-+*])(\d+)", prompt)
        if found is None or (self._fails and self._fails.search(prompt)):
            return "?"
        a, b = int(found[1][::-1]), int(found[3][::-1])
        value = {"+": a + b, "-": a - b, "*": a * b}[found[2]]
        return str(value).zfill(len(found[1]) + (found[2] != "-"))[::-1]
