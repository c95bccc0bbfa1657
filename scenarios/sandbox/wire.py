"""Plain values as JSON and back, and messages over a pipe: what crosses between an answer and its tests.

Only numbers, texts, bytes and collections of them cross, each as exactly the built-in type it is a kind of. An object
with methods of its own does not, so nothing that an answer made can decide what its tests compare.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence, Set
from itertools import islice
from typing import Any

LONGEST = 8 << 20
"""Bytes of a message."""
SAFE = 2**53
"""Whole numbers below which JSON needs no digits in a text."""
MOST = 100_000
"""Elements that are taken from an iterator, which may have no end."""


class Foreign(TypeError):
    """A value that is not plain."""


def pack(value: Any) -> Any:
    """Give a plain value as JSON: containers other than lists, and what JSON cannot say, under a letter.

    Raises:
        Foreign: a value of another type.
    """
    match value:
        case None | bool():
            return value
        case str():
            return str.__str__(value)
        case int():
            return int(value) if -SAFE < value < SAFE else {"i": hex(value)}
        case float():
            return {"f": float.hex(value)}
        case complex():
            return {"c": [float.hex(value.real), float.hex(value.imag)]}
        case bytes() | bytearray():
            return {"b": value.hex()}
        case list():
            return [pack(one) for one in value]
        case tuple():
            return {"t": [pack(one) for one in value]}
        case frozenset():
            return {"z": [pack(one) for one in value]}
        case Set():
            return {"s": [pack(one) for one in value]}
        case Mapping():
            return {"d": [[pack(key), pack(one)] for key, one in value.items()]}
        case range():
            return {"r": [value.start, value.stop, value.step]}
        case Sequence():
            return [pack(one) for one in value]
        case Iterator():
            return {"n": [pack(one) for one in islice(value, MOST)]}
        case _:
            raise Foreign(f"a value of type {type(value).__name__!r} cannot leave the sandbox; plain values can")


def unpack(said: Any) -> Any:
    """Read what `pack` gave.

    Raises:
        ValueError: it did not.
    """
    if isinstance(said, list):
        return [unpack(one) for one in said]
    if not isinstance(said, dict):
        return said
    if len(said) != 1:
        raise ValueError(f"not a packed value: {said!r:.100}")
    ((letter, held),) = said.items()
    match letter:
        case "i":
            return int(held, 16)
        case "f":
            return float.fromhex(held)
        case "c":
            return complex(*map(float.fromhex, held))
        case "b":
            return bytes.fromhex(held)
        case "r":
            return range(*held)
        case "d":
            return {unpack(key): unpack(one) for key, one in held}
        case "t" | "s" | "z" | "n":
            made = [unpack(one) for one in held]
            return {"t": tuple, "s": set, "z": frozenset, "n": iter}[letter](made)
        case _:
            raise ValueError(f"not a packed value: {said!r:.100}")


def send(pipe: int, message: Mapping[str, Any]) -> None:
    """Write a message.

    Raises:
        Foreign: it is too long.
    """
    body = json.dumps(message).encode()
    if len(body) > LONGEST:
        raise Foreign(f"a value of {len(body):,} bytes cannot leave the sandbox; at most {LONGEST:,} can")
    left = memoryview(len(body).to_bytes(4, "big") + body)
    while left:
        left = left[os.write(pipe, left) :]


def receive(pipe: int) -> dict[str, Any]:
    """Read a message.

    Raises:
        EOFError: nobody is at the other end.
        ValueError: it is none.
    """
    size = int.from_bytes(_exactly(pipe, 4), "big")
    if size > LONGEST:
        raise ValueError(f"a message of {size:,} bytes")
    try:
        said = json.loads(_exactly(pipe, size))
    except RecursionError:
        raise ValueError("a message nested too deep") from None
    if not isinstance(said, dict):
        raise ValueError(f"not a message: {said!r:.100}")
    return said


def _exactly(pipe: int, size: int) -> bytes:
    parts: list[bytes] = []
    while size:
        if not (part := os.read(pipe, min(size, 1 << 16))):
            raise EOFError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
