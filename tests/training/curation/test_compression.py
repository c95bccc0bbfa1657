"""Scores by a compressor, against compressing everything anew each time."""

import zlib

import numpy as np

from evolvent.training.curation.pool import Pool, Row
from evolvent.training.curation.redundancy import LEVEL, Stream, rank, ratios
from evolvent.training.curation.scorers.compression import Compression

from .pools import make_pool, score


def naive_ratio(texts: list[bytes]) -> float:
    whole = b"".join(texts)
    return len(whole) / len(zlib.compress(whole, LEVEL))


def naive_rank(texts: list[bytes], most: int, looked_at: int, shortlisted: int, taken: int) -> list[int]:
    """ZIP as the paper has it, every ratio from scratch."""
    state = [naive_ratio([text]) for text in texts]
    chosen: list[int] = []
    while len(chosen) < most:
        free = [i for i in range(len(texts)) if i not in chosen]
        near = sorted(free, key=lambda i: (state[i], i))[:looked_at]
        for i in near:
            state[i] = naive_ratio([*(texts[j] for j in chosen), texts[i]])
        near.sort(key=lambda i: state[i])
        short, batch = near[:shortlisted], list[int]()
        while short and len(batch) < min(taken, most - len(chosen)):
            best = min(short, key=lambda i: naive_ratio([*(texts[j] for j in batch), texts[i]]))
            batch.append(best)
            short.remove(best)
        chosen += batch
    return chosen


def texts_of(pool: Pool) -> list[bytes]:
    return [text.encode() for text in pool.texts]


def test_a_look_ahead_is_what_compressing_everything_gives() -> None:
    texts = texts_of(make_pool(3000))
    stream = Stream()
    for i, text in enumerate(texts[:-1]):
        stream.add(text)
        if i % 500 == 0:
            assert stream.ratio(texts[-1]) == naive_ratio([*texts[: i + 1], texts[-1]])
    np.testing.assert_array_equal(ratios(texts[:50]), [naive_ratio([text]) for text in texts[:50]])


def test_texts_are_chosen_as_by_the_definition() -> None:
    texts = texts_of(make_pool(120))
    stages = {"most": 40, "looked_at": 30, "shortlisted": 12, "taken": 5}
    chosen, rest = rank(texts, **stages)
    assert chosen == naive_rank(texts, *stages.values())
    assert sorted(chosen + rest) == list(range(120))


def test_what_only_repeats_comes_after_what_is_new() -> None:
    rng = np.random.default_rng(0)
    new = [Row(f"n{i:03}", "".join(map(chr, rng.integers(97, 123, 40))), str(i)) for i in range(30)]
    same = [Row(f"s{i:03}", "what is the same as ever and ever", "it") for i in range(30)]
    scores_S = score(Compression(taken=1), Pool((*same, *new)))
    assert scores_S[30:].min() > np.median(scores_S[:30])
    assert (scores_S > scores_S[30:].min()).sum() <= 31


def test_ranking_ends_when_told_and_the_rest_keeps_its_order() -> None:
    pool = make_pool(200)
    scores_S = score(Compression(most=20, taken=5), pool)
    np.testing.assert_allclose(np.sort(scores_S), np.arange(1, 201) / 200)
