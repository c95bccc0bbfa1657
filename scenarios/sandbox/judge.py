"""The process that holds the tests: it runs them against functions that live in another process.

Nothing of the answer is ever in this process but plain values that its functions returned, so it cannot see the nonce,
patch what compares, or end the tests early and have that look like passing.
"""

import ast
import builtins
import json
import os
from collections.abc import Callable
from typing import Any

from .program import assemble, functions, stub
from .wire import Foreign, pack, receive, send, unpack

SHOWN = 400
"""Characters of a reason."""
TESTS = "<tests>"


class Ended(Exception):
    """The process of the answer is gone."""


class Unloadable(Exception):
    """The answer cannot be loaded."""


class Line:
    """The way to the answer's process."""

    def __init__(self, ask: int, told: int) -> None:
        self.calls = 0
        self._ask, self._told = ask, told

    def exchange(self, message: dict[str, Any]) -> dict[str, Any]:
        """Ask and wait for what comes back."""
        try:
            send(self._ask, message)
            return receive(self._told)
        except (EOFError, BrokenPipeError):
            raise Ended from None

    def remote(self, name: str) -> Callable[..., Any]:
        """Give a function that calls the answer's function of that name; it gets copies of its arguments."""

        def function(*arguments: Any, **named: Any) -> Any:
            self.calls += 1
            said = self.exchange({"call": name, "arguments": pack(list(arguments)), "named": pack(named)})
            if "error" in said:
                raise _raised(str(said["error"]), str(said.get("text", "")))
            return unpack(said.get("value"))

        function.__name__ = name
        return function


def judge(job: dict[str, Any], ask: int, told: int, ready: Callable[[], None]) -> dict[str, Any]:
    """Run the tests.

    Args:
        job: prompt, reference, tests and answer.
        ask: pipe to the answer's process.
        told: pipe from it.
        ready: called when both processes stand behind their walls, before the answer is loaded.

    Returns:
        `outcome` (`passed`, `failed`, or `broken` where the tests are at fault) and a `reason`.
    """
    line = Line(ask, told)
    if receive(told) != {"ready": True}:
        raise OSError("the answer's process did not start")
    ready()
    try:
        code, names = stage(job["prompt"], job["reference"], job["tests"], line)
    except Exception as error:  # of the task's own texts, which no answer has a part in
        return {"outcome": "broken", "reason": f"the tests cannot be run: {_said(error)}"}
    try:
        loaded = line.exchange({"prompt": job["prompt"], "answer": job["answer"]})
        if "error" in loaded:
            raise Unloadable(f"{loaded['error']}: {loaded.get('text', '')}")
        exec(code, names)  # noqa: S102 (that is what this is for)
    except BaseException as error:
        return {"outcome": "failed", "reason": _reason(error, job["tests"])}
    if not line.calls:
        return {"outcome": "broken", "reason": "the tests never call the answer"}
    return {"outcome": "passed", "reason": f"{line.calls} calls"}


def stage(prompt: str, reference: str, tests: str, line: Line) -> tuple[Any, dict[str, Any]]:
    """Prepare the tests and what they see: the prompt's helpers, and the reference's functions as the answer's.

    Which functions are the answer's is read off the reference, never off the answer, so it cannot put its own in the
    place of what the tests use.
    """
    names: dict[str, Any] = {"__name__": "tests", "__builtins__": builtins}
    given: dict[str, str] = {}
    if begun := stub(prompt):
        exec(compile(begun, "<prompt>", "exec", dont_inherit=True), names)  # noqa: S102
        given = functions(begun)
    own = [name for name, tree in functions(assemble(prompt, reference)).items() if given.get(name) != tree]
    names |= {name: line.remote(name) for name in own}
    return compile(_calling(tests, prompt, own), TESTS, "exec", dont_inherit=True), names


def _calling(tests: str, prompt: str, own: list[str]) -> str:
    """Add HumanEval's call of `check`, where the tests define it and leave the call to whoever runs them."""
    body = ast.parse(tests).body
    defined = any(isinstance(node, ast.FunctionDef) and node.name == "check" for node in body)
    called = any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "check"
        for statement in body
        if not isinstance(statement, ast.FunctionDef)
        for node in ast.walk(statement)
    )
    return f"{tests}\ncheck({_entry(prompt, own)})\n" if defined and not called else tests


def _entry(prompt: str, own: list[str]) -> str:
    """The function that is asked for: the prompt's last, else the first that the prompt names, else the last."""
    if not own:
        raise ValueError("the reference defines no function")
    stubs = [name for name in functions(stub(prompt)) if name in own]
    named = [name for name in own if name in prompt]
    return stubs[-1] if stubs else named[0] if named else own[-1]


def _raised(name: str, text: str) -> Exception:
    """The exception that the answer raised, if it is one of Python's own errors."""
    kind = getattr(builtins, name, None)
    if isinstance(kind, type) and issubclass(kind, Exception):
        try:
            return kind(text)
        except TypeError:  # Unicode errors want five arguments
            pass
    return RuntimeError(f"{name}: {text}")


def _reason(error: BaseException, tests: str) -> str:
    match error:
        case Ended():
            return "the answer ended its process"
        case Unloadable():
            return f"the answer does not load: {error}"[:SHOWN]
        case Foreign():
            return f"{_place(error, tests)}: {error}"[:SHOWN]
        case _:
            return f"{_place(error, tests)}: {_said(error)}"[:SHOWN]


def _place(error: BaseException, tests: str) -> str:
    lines: list[int] = []
    frame = error.__traceback__
    while frame is not None:
        lines += [frame.tb_lineno] if frame.tb_frame.f_code.co_filename == TESTS else []
        frame = frame.tb_next
    written = tests.splitlines()
    if not lines or lines[-1] > len(written):
        return "tests"
    return f"line {lines[-1]} of the tests, {written[lines[-1] - 1].strip()!r:.200}"


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}{f': {error}' if str(error) else ''}"[:SHOWN]


def report(pipe: int, nonce: str, **said: Any) -> None:
    """Write one line of the result."""
    line = json.dumps({"nonce": nonce, **said}) + "\n"
    os.write(pipe, line.encode())
