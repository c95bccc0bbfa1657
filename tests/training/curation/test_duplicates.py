"""Nothing is kept twice, in whatever order and batches it comes, at the cost of what comes."""

import tracemalloc
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evolvent.memory.records import Sample, Task
from evolvent.training.curation import hyperplanes
from evolvent.training.curation.alike import Directions, Texts
from evolvent.training.curation.buckets import Buckets, Ints, Sieve
from evolvent.training.curation.duplicates import Duplicates
from evolvent.training.curation.grams import shingles
from evolvent.training.curation.jaccard import ROOM, similarities
from evolvent.training.curation.likeness import Similarities
from evolvent.training.curation.minhash import CHARACTERS, PERMUTATIONS, signatures

LETTERS = "abcdefghijklmnopqrstuvwxyz "


def make_sample(text: str, key: str = "") -> Sample:
    task = Task(skill="sums", prompt=text, answer="7", key=key or text)
    return Sample(task=task, arm="targeted", round=1, weakness=None, teacher="test", recipe="")


def write(rng: Random, length: int) -> str:
    return "".join(rng.choices(LETTERS, k=length))


def edit(rng: Random, text: str) -> str:
    """The same text with a few letters changed."""
    place = rng.randrange(len(text))
    return text[:place] + write(rng, rng.randint(1, 3)) + text[place + 2 :]


def corpus(seed: int, count: int = 60) -> list[Sample]:
    """Texts, edited copies, equal copies, and keys that come again with the same text or another one."""
    rng, samples = Random(seed), list[Sample]()
    for i in range(count):
        old = rng.choice(samples) if samples and rng.random() < 0.6 else None
        if old is None:
            samples.append(make_sample(write(rng, rng.randint(1, 120)), f"k{i}"))
            continue
        text = old.task.prompt if rng.random() < 0.4 else edit(rng, old.task.prompt)
        samples.append(make_sample(text, old.task.key if rng.random() < 0.3 else f"k{i}"))
    return samples


def one_by_one(samples: list[Sample], *, prose: bool) -> list[tuple[str, str] | None]:
    known, found = Duplicates(near=0.7, prose=prose), list[tuple[str, str] | None]()
    for sample in samples:
        found.append(known.find(sample))
        if found[-1] is None:
            known.add([sample])
    return found


@given(st.integers(0, 10_000), st.booleans())
@settings(max_examples=30, deadline=None)
def test_a_batch_is_judged_like_its_samples_one_by_one(seed: int, prose: bool) -> None:
    samples = corpus(seed)
    known = Duplicates(near=0.7, prose=prose)
    assert [*known.admit(samples[:25]), *known.admit(samples[25:])] == one_by_one(samples, prose=prose)


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_what_was_kept_is_kept_again_and_nothing_that_was_kept_is_a_duplicate_of_another(seed: int) -> None:
    samples, known = corpus(seed), Duplicates(near=0.7, prose=True)
    kept = [s for s, collision in zip(samples, known.admit(samples), strict=True) if collision is None]
    assert all(collision is not None for collision in known.admit(samples))
    assert Duplicates(near=0.7, prose=True).admit(kept) == [None] * len(kept)
    runs = [shingles(s.task.prompt.strip(), 3) for s in kept]
    assert len({s.task.key for s in kept}) == len(kept) == len({frozenset(run) for run in runs})


@given(st.integers(0, 10_000), st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_of_groups_of_duplicates_one_each_is_kept_in_whatever_order_they_come(seed: int, random: Random) -> None:
    rng = Random(seed)
    groups = [write(rng, 80) for _ in range(12)]
    copies = [
        make_sample(text + " " * i + "?" * (i % 3), f"{g}-{i}") for g, text in enumerate(groups) for i in range(4)
    ]
    random.shuffle(copies)
    answers = Duplicates(near=0.8, prose=True).admit(copies)
    kept = [s.task.key.split("-")[0] for s, collision in zip(copies, answers, strict=True) if collision is None]
    assert sorted(kept) == sorted(str(g) for g in range(12))


@pytest.mark.parametrize("prose", [True, False])
def test_what_is_discarded_no_longer_counts_as_kept(prose: bool) -> None:
    rng = Random(0)
    first, second, other = (make_sample(write(rng, 90), name) for name in "abc")
    like = make_sample(first.task.prompt + "x", "a" if not prose else "d")
    known = Duplicates(near=0.8, prose=prose)
    known.admit([first, second])
    assert known.find(like) is not None
    known.discard([first, other])
    assert known.find(like) is None
    assert known.find(second) is not None
    assert set(known.keys) == {"b"}
    assert known.admit([first, like])[0] is None
    assert known.find(like) is not None


def test_a_text_that_two_samples_were_kept_with_stays_until_both_are_discarded() -> None:
    text = write(Random(0), 90)
    one, two = make_sample(text, "a"), make_sample(text, "b")
    known = Duplicates(near=0.8, prose=True)
    known.add([one, two])
    known.discard([two])
    found = known.find(make_sample(text, "c"))
    assert found is not None
    assert found.sample == one.id
    known.discard([one])
    assert known.find(make_sample(text, "c")) is None


@given(st.lists(st.text(max_size=30), min_size=1, max_size=8))
def test_similarity_is_that_of_the_sets_of_runs(texts: list[str]) -> None:
    texts = [text.replace("\0", "") for text in texts]
    left, right = (x.ravel() for x in np.indices((len(texts), len(texts))))
    sets = [shingles(text, CHARACTERS) for text in texts]
    true = [len(sets[i] & sets[j]) / len(sets[i] | sets[j]) for i, j in zip(left, right, strict=True)]
    assert similarities(texts, left, right).tolist() == true


def test_one_long_pair_among_short_ones_is_compared_in_memory_of_its_own_length() -> None:
    rng, length = Random(3), 50_000
    texts = [write(rng, 20) for _ in range(256)] + [write(rng, length), write(rng, length)]
    left, right = np.arange(0, len(texts), 2), np.arange(1, len(texts), 2)
    sets = [shingles(text, CHARACTERS) for text in texts]
    true = [len(sets[i] & sets[j]) / len(sets[i] | sets[j]) for i, j in zip(left, right, strict=True)]
    tracemalloc.start()
    try:
        assert similarities(texts, left, right).tolist() == true
        assert tracemalloc.get_traced_memory()[1] < 2 * ROOM * 32
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("length", [6, 15, 40, 400])
def test_signatures_agree_as_often_as_texts_are_alike(length: int) -> None:
    rng, agreed, true = Random(1), list[float](), list[float]()
    for _ in range(200):
        one = write(rng, length)
        other = edit(rng, edit(rng, one))
        a, b = signatures([one, other])
        agreed.append(float((a == b).mean()))
        runs = shingles(one, CHARACTERS), shingles(other, CHARACTERS)
        true.append(len(runs[0] & runs[1]) / len(runs[0] | runs[1]))
    assert np.mean(agreed) == pytest.approx(np.mean(true), abs=0.03)
    assert signatures(["", "a", "ab"]).shape == (3, PERMUTATIONS)


@pytest.mark.parametrize("length", [12, 20, 40, 150])
def test_short_texts_are_found_like_long_ones(length: int) -> None:
    rng, found, pairs = Random(2), 0, 0
    while pairs < 100:
        one = write(rng, length)
        other = one[1:] + write(rng, 1)
        runs = shingles(one, CHARACTERS), shingles(other, CHARACTERS)
        if len(runs[0] & runs[1]) / len(runs[0] | runs[1]) < 0.8:
            continue
        known = Texts(0.8)
        known.add([one])
        pairs += 1
        found += known.find([other])[0] is not None
    assert found >= 95


def test_texts_that_are_all_alike_are_admitted_without_comparing_each_with_each() -> None:
    base = write(Random(0), 200)
    texts = [base + f" {i}" for i in range(3000)]
    compared: list[int] = []

    class Counting(Texts):
        def compare(self, things: list[str], asked: Ints, held: Ints) -> Similarities:
            compared.append(len(asked))
            return super().compare(things, asked, held)

    known = Counting(0.7)
    assert [match is None for match in known.admit(texts)] == [True, *[False] * 2999]
    assert sum(compared) < 2 * len(texts)


@given(st.lists(st.lists(st.integers(0, 6), min_size=3, max_size=3), min_size=1, max_size=40), st.integers(1, 7))
@settings(deadline=None)
def test_buckets_give_all_that_share_a_band_and_nothing_else(rows: list[list[int]], batch: int) -> None:
    keys_SB = np.array(rows, dtype=np.uint64) + np.arange(3, dtype=np.uint64) * np.uint64(100)
    buckets = Buckets(3)
    for start in range(0, len(rows), batch):
        buckets.add(keys_SB[start : start + batch])
    true = {(i, j) for i in range(len(rows)) for j in range(len(rows)) if (keys_SB[i] == keys_SB[j]).any()}
    found = buckets.find(keys_SB)
    assert list(zip(found.asked.tolist(), found.held.tolist(), strict=True)) == sorted(true)


def test_buckets_hold_on_to_everything_while_they_grow() -> None:
    keys_SB = np.random.default_rng(0).integers(0, 2**63, (5000, 4), dtype=np.uint64)
    buckets = Buckets(4)
    for start in range(0, 5000, 700):
        buckets.add(keys_SB[start : start + 700])
    asked, held = buckets.find(keys_SB)
    assert asked.tolist() == held.tolist() == list(range(5000))


def test_a_sieve_lets_through_what_differs_in_few_enough_bits() -> None:
    rng = np.random.default_rng(1)
    # one hash in common, the other ones with up to eight bits changed
    held_SB = rng.integers(0, 2**32, (3000, 3), dtype=np.uint64)
    flips = rng.integers(0, 256, (3000, 2), dtype=np.uint64)
    asked_SB = np.concatenate([held_SB[:, :2] ^ flips, held_SB[:, 2:]], axis=1)
    sifting, open = Buckets(3, Sieve(bands=2, most=7)), Buckets(3)
    for buckets in (sifting, open):
        buckets.add(held_SB)
    differing = [sum(bin(int(flip)).count("1") for flip in row) for row in flips]
    assert sifting.find(asked_SB).asked.tolist() == [i for i, count in enumerate(differing) if count <= 7]
    assert open.find(asked_SB).asked.tolist() == list(range(3000))


@pytest.mark.parametrize("near", [0.5, 0.85, 0.95, 0.999, 1.0])
def test_the_sieve_of_hyperplanes_stops_only_vectors_that_are_apart(near: float) -> None:
    rng = np.random.default_rng(2)
    one, other = rng.standard_normal((2, 1500, 48))
    one /= np.linalg.norm(one, axis=1, keepdims=True)
    other -= np.einsum("sd,sd->s", one, other)[:, None] * one
    other /= np.linalg.norm(other, axis=1, keepdims=True)
    bands = hyperplanes.bands(near)
    counted, most = hyperplanes.sieve(near, bands)
    planes_DP = hyperplanes.planes(48, bands)

    def differing(cosine: float) -> Ints:
        turned = cosine * one + np.sqrt(1 - cosine**2) * other
        both = [hyperplanes.keys(rows.astype(np.float32), planes_DP, bands)[:, :counted] for rows in (one, turned)]
        return np.bitwise_count(both[0] ^ both[1]).sum(axis=1, dtype=np.int64)

    assert (differing(near) <= most).all()
    assert (differing(near - 0.6) <= most).mean() < 0.01


def test_vectors_that_point_the_same_way_are_found() -> None:
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((2000, 64))
    turned = rows + 0.22 * rng.standard_normal(rows.shape)
    both = [(x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32) for x in (rows, turned)]
    cosines = np.einsum("sd,sd->s", *both)
    known = Directions(0.95, 64)
    known.add(both[0])
    found = np.array([match is not None for match in known.find(both[1])])
    assert not found[cosines < 0.95].any()
    assert (cosines >= 0.95).sum() > 500
    assert found[cosines >= 0.95].mean() >= 0.95
    assert [match is None for match in known.admit(-both[0][:50])] == [True] * 50


def test_equal_vectors_are_kept_once() -> None:
    row = np.full((1, 16), 0.25, dtype=np.float32)
    known = Directions(0.95, 16)
    assert [match is None for match in known.admit(np.repeat(row, 4000, axis=0))] == [True, *[False] * 3999]
