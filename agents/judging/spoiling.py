"""Wrong answers that look right, made by program."""

from random import Random


def spoil(answer: str, rng: Random) -> str:
    """Replace one character by another of its kind.

    Args:
        answer: not empty.
        rng: the only source of chance.
    """
    place = rng.randrange(len(answer))
    kinds = "0123456789" if answer[place].isdigit() else "abcdefghijklmnopqrstuvwxyz"
    other = rng.choice([c for c in kinds if c != answer[place]])
    return answer[:place] + other + answer[place + 1 :]
