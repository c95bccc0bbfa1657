"""How an answer becomes a program: alone, or after the prompt that it completes."""

import ast
import re

FENCE = re.compile(r"```(?:python|py|python3)?[ \t]*\n(.*?)(?:```|\Z)", re.DOTALL | re.IGNORECASE)
"""A block of code in Markdown, whether or not it is closed."""


def code_of(answer: str) -> str:
    """Take the code out of an answer: its blocks of Markdown, or all of it where there are none."""
    blocks: list[str] = FENCE.findall(answer)
    return "\n".join(blocks) if blocks else answer


def parses(text: str) -> bool:
    """Whether a text is Python."""
    try:
        compile(text, "<text>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def stub(prompt: str) -> str:
    """Give a prompt that begins a function as a program by itself; nothing for any other prompt."""
    for text in (prompt, f"{prompt}\n    pass\n"):
        if parses(text):
            return text if functions(text) else ""
    return ""


def assemble(prompt: str, answer: str) -> str:
    """Join a prompt and an answer.

    A prompt in HumanEval's format is a function without a body, with helpers before it: the answer goes on from there,
    or writes the function again. Any other prompt is left out.

    Raises:
        SyntaxError: no way of joining them is Python; of the plainest way.
    """
    code = code_of(answer)
    if not (begun := stub(prompt)):
        compile(code, "<answer>", "exec", dont_inherit=True)
        return code
    body = code.strip("\n")
    # an answer that was stripped has lost the first line's indentation
    ways = [f"{begun}\n{code}", f"{prompt}\n{code}", prompt + code, f"{prompt}\n    {body.lstrip()}"]
    if body[:1].isspace():
        ways.insert(0, f"{prompt}\n{body}")
    for way in ways:
        if parses(way):
            return way
    compile(ways[0], "<answer>", "exec", dont_inherit=True)
    raise SyntaxError("cannot be joined to the prompt")


def functions(code: str) -> dict[str, str]:
    """Functions at the top of a program in order, each with its syntax tree as a text."""
    return {node.name: ast.dump(node) for node in ast.parse(code).body if isinstance(node, ast.FunctionDef)}
