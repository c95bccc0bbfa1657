"""Runs of characters and of words, by which texts are compared."""


def shingles(text: str, size: int) -> set[str]:
    """All runs of `size` characters; the text itself when it is shorter."""
    return {text[i : i + size] for i in range(max(1, len(text) - size + 1))}


def ngrams(text: str, size: int) -> set[str]:
    """All runs of `size` words of a normalised text; the whole text when it is shorter."""
    words = text.split()
    return {" ".join(words[i : i + size]) for i in range(max(1, len(words) - size + 1))} - {""}
