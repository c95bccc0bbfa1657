from random import Random

import pytest

from evolvent.memory.parts import PartSpec, load
from evolvent.memory.records import Sample, Task
from evolvent.memory.talk import Talk
from evolvent.scenarios.loader import parse
from evolvent.scenarios.source import Source
from evolvent.scenarios.splits import Splits
from evolvent.scenarios.text import normal
from evolvent.training.curation.decontamination import Decontamination, given_away, held, shared
from evolvent.training.curation.duplicates import Duplicates
from evolvent.training.curation.grams import shingles
from evolvent.training.curation.minhash import PERMUTATIONS, bands
from evolvent.training.curation.pipeline import NEAR, curate

EXAM = "A farmer has twelve sheep and sells five of them at the market, how many remain?"


def make_sample(prompt: str, *, answer: str = "7", key: str | None = None) -> Sample:
    task = Task(skill="sums", prompt=prompt, answer=answer, key=key or prompt)
    return Sample(task=task, arm="targeted", round=1, weakness=None, teacher="test", recipe="")


@pytest.fixture
def splits() -> Splits:
    scenario = parse(
        {"name": "leaks", "source": "arithmetic", "skills": {"sums": {"task": {"operation": "add"}}}}, where="test"
    )
    return Splits(
        scenario, load(PartSpec(name="arithmetic"), base=Source, package="evolvent.scenarios.sources", where="t"), 0
    )


@pytest.fixture
def prose(splits: Splits) -> Decontamination:
    filter_ = Decontamination(splits, [], ngram=8)
    filter_._grams = held([make_sample(EXAM).task], 8)  # pyright: ignore[reportPrivateUsage] -- the arithmetic source holds no prose
    return filter_


def test_what_an_evaluation_asks_is_a_leak_and_what_is_only_written_like_it_is_none(splits: Splits) -> None:
    filter_ = Decontamination(splits, [], ngram=8, beside=["12+34", EXAM])
    key = next(k for i in range(100) if splits.part(k := f"key {i}") == "train")
    said = "leak: an item of an evaluation asks the same"
    assert filter_.leak(make_sample(" 12+34 ", key=key).task) == said
    assert filter_.leak(make_sample(EXAM.upper(), key=key).task) == said
    assert filter_.leak(make_sample("12-34", key=key).task) is None


@pytest.mark.parametrize(
    "disguise",
    [
        EXAM,
        f"Please answer: {EXAM} Thank you.",
        EXAM.upper(),
        EXAM.replace(",", " -- ").replace(" ", "  "),
        EXAM.replace("sheep", "she\u200bep"),
        EXAM.replace("a", "\u0430").replace("e", "\u0435"),
        EXAM.replace(" ", "\n> "),
        "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in EXAM),
    ],
    ids=["verbatim", "inside", "case", "punctuation", "zero width", "homoglyphs", "line wraps", "full width"],
)
def test_an_exam_item_is_caught_in_disguise(prose: Decontamination, splits: Splits, disguise: str) -> None:
    key = next(k for i in range(100) if splits.part(k := f"key {i}") == "train")
    assert prose.leak(make_sample(disguise, key=key).task) == "leak: shares 8 words in a row with an exam item"


def test_other_prose_is_not_a_leak(prose: Decontamination, splits: Splits) -> None:
    key = next(k for i in range(100) if splits.part(k := f"key {i}") == "train")
    assert (
        prose.leak(make_sample("A baker has nine loaves and gives two of them away, how many are left?", key=key).task)
        is None
    )


def leak(*items: str, prompt: str, ngram: int = 8) -> str | None:
    return shared(normal(prompt), held([make_sample(item).task for item in items], ngram), ngram)


def test_an_item_shorter_than_the_run_is_caught_inside_a_longer_prompt() -> None:
    assert leak("Who wrote Faust?", prompt="Tell me, please: who wrote FAUST, and when?") == "leak: holds an exam item"
    assert leak("Who wrote Faust?", "Name a long river in the south of Peru", prompt="Who wrote Faust?") is not None


def test_a_short_item_is_compared_word_by_word() -> None:
    assert leak("who wrote it", prompt="the man who wrote items for a paper") is None
    assert leak("who wrote it", prompt="who once wrote it, we never learned") is None


def test_one_or_two_words_are_a_leak_only_as_the_whole_prompt() -> None:
    assert leak("define irony", prompt="Define irony!") == "leak: holds an exam item"
    assert leak("define irony", prompt="define irony in the words of a poet") is None


def test_a_run_shorter_than_the_shortest_item_is_found_when_asked_for() -> None:
    assert (
        leak("name two red birds", prompt="two red cars", ngram=2) == "leak: shares 2 words in a row with an exam item"
    )


def test_a_task_of_an_exam_split_is_a_leak_whoever_wrote_it(splits: Splits) -> None:
    held = splits.draw("sums", "report", 1, stream="x")[0]
    sample = make_sample(held.prompt, key=held.key)
    assert Decontamination(splits, [], ngram=8).leak(sample.task) == "leak: the task belongs to the report split"


def test_what_is_written_like_an_exam_item_is_kept_and_said(splits: Splits) -> None:
    held = splits.draw("sums", "report", 1, stream="x")[0]
    key = next(k for i in range(100) if splits.part(k := f"key {i}") == "train")
    sample = make_sample(f" {held.prompt} ?", key=key)
    done = curate(
        [sample], {}, round=1, contamination=Decontamination(splits, [held], ngram=8),
        duplicates=Duplicates(near=0.85, prose=False), too_long=lambda _: False,
    )  # fmt: skip
    assert [(fate.kept, fate.reason) for fate in done.fates] == [(True, NEAR)]


def test_the_same_task_is_kept_once() -> None:
    known = Duplicates(near=0.85, prose=False)
    first = make_sample("1+1", key="one")
    known.add([first])
    assert known.find(make_sample("1 + 1", key="one")) == ("the same task is already kept", first.id)


def test_prose_that_hardly_differs_is_a_near_duplicate() -> None:
    known = Duplicates(near=0.8, prose=True)
    known.add([first := make_sample(EXAM)])
    found = known.find(make_sample(EXAM.replace("twelve", "twelve ")))
    assert found is None or found.sample == first.id
    assert known.find(make_sample(EXAM.replace("market", "markets"))) is not None
    assert known.find(make_sample("Something else entirely, with nothing in common.")) is None


def similar(rng: Random, near: float) -> tuple[str, str, float]:
    """Two texts of random letters and their similarity, which is near `near` from above."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    one = "".join(rng.choices(letters, k=400))
    shift = round(len(one) * (1 - near) / (1 + near)) - 1
    other = one[shift:] + "".join(rng.choices(letters, k=shift))
    a, b = shingles(one, 3), shingles(other, 3)
    return one, other, len(a & b) / len(a | b)


@pytest.mark.parametrize("near", [0.5, 0.7, 0.9])
def test_what_is_as_similar_as_the_threshold_is_found_in_95_of_100_cases(near: float) -> None:
    rng, found, pairs = Random(0), 0, 0
    while pairs < 300:
        one, other, similarity = similar(rng, near)
        if not near <= similarity < near + 0.02:
            continue
        known = Duplicates(near=near, prose=True)
        known.add([make_sample(one)])
        pairs += 1
        found += known.find(make_sample(other)) is not None
    assert found >= 0.95 * pairs


@pytest.mark.parametrize("near", [0.5, 0.7, 0.9])
def test_what_is_less_similar_than_the_threshold_is_kept(near: float) -> None:
    rng = Random(0)
    for _ in range(100):
        one, other, similarity = similar(rng, near - 0.03)
        known = Duplicates(near=near, prose=True)
        known.add([make_sample(one)])
        assert (known.find(make_sample(other)) is None) == (similarity < near)


@pytest.mark.parametrize("near", [0.01, 0.5, 0.85, 0.95, 1.0])
def test_bands_divide_the_permutations(near: float) -> None:
    assert PERMUTATIONS % bands(near) == 0


def test_calculations_that_look_alike_are_different_tasks() -> None:
    known = Duplicates(near=0.5, prose=False)
    known.add([make_sample("748+215", key="a")])
    assert known.find(make_sample("748+216", key="b")) is None


def test_nothing_is_dropped_without_a_reason_and_order_does_not_matter(splits: Splits) -> None:
    tasks = [*splits.draw("sums", "train", 30, stream="a"), *splits.draw("sums", "exam", 5, stream="a")]
    samples = [make_sample(t.prompt, answer=t.answer, key=t.key) for t in tasks]
    outcomes = []
    for order in (samples, samples[::-1]):
        outcomes.append(
            curate(
                order,
                {samples[0].id: "critique: wrong"},
                round=1,
                contamination=Decontamination(splits, [], ngram=8),
                duplicates=Duplicates(near=0.85, prose=False),
                too_long=lambda s: s.id == samples[1].id,
            )
        )
    assert outcomes[0] == outcomes[1]
    assert len(outcomes[0].fates) == 35
    assert len(outcomes[0].kept) == 28
    assert all(f.reason for f in outcomes[0].fates)


@pytest.mark.parametrize(
    ("prompt", "text", "given"),
    [
        (EXAM, f"Work this out. {EXAM.upper()}", True),
        (EXAM, "A farmer has twelve sheep and sells the farm.", False),
        ("What is love?", "Tell me: what is love, really?", True),
        ("Why?", "why", True),
        ("Why?", "Why not?", False),
    ],
)
def test_an_item_is_given_away_by_what_would_have_been_a_leak(prompt: str, text: str, given: bool) -> None:
    item, other = (
        make_sample(prompt).task,
        make_sample("Of seven hens three lay eggs, how many do not?").task,
    )
    assert given_away([item, other], [text], 8) == [item] * given
    assert (shared(normal(text), held([item], 8), 8) is not None) == given


def test_conversations_are_compared_by_what_is_said_and_not_by_tools_they_share() -> None:
    duplicates = Duplicates(near=0.8, prose=True)
    lend = {
        "name": "lend",
        "description": "Lends a book of the library to a reader for four weeks, or until called",
    }

    def sample(text: str, *tools: dict[str, str]) -> Sample:
        schemas = tuple({"type": "function", "function": tool} for tool in tools)
        talk = Talk(messages=({"role": "user", "content": text},), tools=schemas)
        task = Task(skill="sums", prompt=talk.text(), answer="7", key=talk.text(), talk=talk)
        return Sample(task=task, arm="targeted", round=1, weakness=None, teacher="test", recipe="")

    first = sample("May I borrow Emma until Friday?", lend)
    duplicates.add([first])
    assert duplicates.find(sample("Who wrote the Odyssey?", lend)) is None
    found = duplicates.find(sample("May I borrow Emma until Friday?", {"name": "search"}))
    assert found == ("near duplicate, similarity 1.00", first.id)


def test_a_question_that_an_exam_asks_with_tools_is_a_leak_without_them_too() -> None:
    talk = Talk(messages=({"role": "user", "content": EXAM},), tools=({"function": {"name": "count"}},))
    item = Task(skill="sums", prompt=talk.text(), answer="7", key="k", talk=talk)
    assert shared(normal(EXAM), held([item], 8), 8) == "leak: shares 8 words in a row with an exam item"
