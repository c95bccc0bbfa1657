"""SCAN's commands and what they mean: a phrase grammar, and an interpreter that goes by the words alone.

`jump around left twice and walk` is a command, `I_TURN_LEFT I_JUMP …` what it asks for. SCAN's four verbs make 20,910
commands; more verbs may be invented.

Source: Lake & Baroni 2018, https://arxiv.org/abs/1711.00350 (figures 5 to 7: the grammar, and how it is interpreted).
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import product

VERBS = ("walk", "look", "run", "jump")
TURN = "turn"
SIDES = ("left", "right")
TIMES = {"twice": 2, "thrice": 3}
ROUND = 4
"""Turns that make a full circle."""
AFTER, AND = "after", "and"
WORDS = (TURN, *SIDES, "opposite", "around", *TIMES, AND, AFTER)
"""What a command is made of beside verbs."""


@lru_cache(maxsize=8)
def commands(verbs: Sequence[str] = VERBS) -> tuple[str, ...]:
    """Give every command with these verbs, in the order of the grammar."""
    phrases = [phrase for one in _phrases(verbs) for phrase in (one, *(f"{one} {times}" for times in TIMES))]
    joined = (f"{a} {how} {b}" for a, b in product(phrases, repeat=2) for how in (AND, AFTER))
    return (*phrases, *joined)


def _phrases(verbs: Sequence[str]) -> Iterator[str]:
    yield from verbs
    for verb, side in product((*verbs, TURN), SIDES):
        yield f"{verb} {side}"
        yield f"{verb} opposite {side}"
        yield f"{verb} around {side}"


def carry_out(command: str) -> list[str]:
    """Give the actions that a command asks for.

    Raises:
        ValueError: it is no command.
    """
    words = command.split()
    for how in (AFTER, AND):
        if how in words:
            at = words.index(how)
            first, second = _repeated(words[:at], command), _repeated(words[at + 1 :], command)
            return second + first if how == AFTER else first + second
    return _repeated(words, command)


def _repeated(words: Sequence[str], command: str) -> list[str]:
    """What one phrase asks for."""
    if words and words[-1] in TIMES:
        return _once(words[:-1], command) * TIMES[words[-1]]
    return _once(words, command)


def _once(words: Sequence[str], command: str) -> list[str]:
    match list(words):
        case [verb] if _is_verb(verb):
            return [_act(verb)]
        case [verb, side] if side in SIDES and (verb == TURN or _is_verb(verb)):
            return [_turn(side), *_acts(verb)]
        case [verb, "opposite", side] if side in SIDES and (verb == TURN or _is_verb(verb)):
            return [_turn(side), _turn(side), *_acts(verb)]
        case [verb, "around", side] if side in SIDES and (verb == TURN or _is_verb(verb)):
            return [_turn(side), *_acts(verb)] * ROUND
        case _:
            raise ValueError(f"{command[:80]!r} is no command of SCAN")


def _is_verb(word: str) -> bool:
    return word not in WORDS


def _acts(verb: str) -> list[str]:
    """What is done after a turn; nothing where turning is all there is."""
    return [] if verb == TURN else [_act(verb)]


def _act(verb: str) -> str:
    return f"I_{verb.upper()}"


def _turn(side: str) -> str:
    return f"I_TURN_{side.upper()}"
