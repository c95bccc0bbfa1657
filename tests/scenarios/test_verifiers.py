from collections.abc import Sequence
from importlib.util import find_spec

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolvent.memory.errors import PartError
from evolvent.memory.inference import Models
from evolvent.memory.parts import known
from evolvent.memory.records import Task, Verdict
from evolvent.scenarios.verifier import Verifier

from ..judging import sound
from ..teaching import Voice
from .builders import VERIFIERS, make_task, make_verifier
from .cases import CASES, Case

NEEDS = {"math": "math_verify", "reasoning_gym": "reasoning_gym"}
REGEX = r"the answer is (\S+)"
CONSTANTS = (
    "",
    " ",
    "\n",
    "0",
    "yes",
    "A",
    "the same for every task",
    "[]",
    "{}",
    "SELECT 1",
    "def f(): return 0",
    "None",
)
MODELS: Models = {"judge": Voice(sound)}
"""Whom a verifier may ask that is no program."""


@pytest.fixture(params=known(VERIFIERS))
def judged(request: pytest.FixtureRequest) -> tuple[Verifier, Case]:
    name = str(request.param)
    if name in NEEDS and find_spec(NEEDS[name]) is None:
        pytest.skip(f"{NEEDS[name]} is not installed")
    return make_verifier(name, **CASES[name].settings), CASES[name]


async def say(verifier: Verifier, tasks: Sequence[Task], answers: Sequence[str]) -> list[Verdict]:
    return await verifier.judged(tasks, answers, models=MODELS)


async def test_every_verifier_accepts_its_own_gold_answers(judged: tuple[Verifier, Case]) -> None:
    verifier, case = judged
    verdicts = await say(verifier, case.tasks, [task.answer for task in case.tasks])
    assert [v.passed for v in verdicts] == [True, True], verdicts


async def test_every_verifier_rejects_an_empty_and_a_constant_answer_and_says_why(
    judged: tuple[Verifier, Case],
) -> None:
    verifier, case = judged
    verdicts = await say(verifier, [case.tasks[0]] * len(CONSTANTS), CONSTANTS)
    assert [v for v in verdicts if v.passed or not v.reason] == []


async def test_every_verifier_rejects_a_mutant_and_says_why(judged: tuple[Verifier, Case]) -> None:
    verifier, case = judged
    assert [v for v in await say(verifier, case.tasks, case.mutants) if v.passed or not v.reason] == []


async def test_every_verifier_judges_many_as_it_judges_one(judged: tuple[Verifier, Case]) -> None:
    verifier, case = judged
    tasks, answers = [*case.tasks, *case.tasks], [*case.mutants, *(task.answer for task in case.tasks)]
    together = await say(verifier, tasks, answers)
    assert [v.passed for v in together] == [False, False, True, True]
    if not verifier.asks:
        assert together == [verifier.judge(task, answer) for task, answer in zip(tasks, answers, strict=True)]
    with pytest.raises(ValueError, match=r"argument|answers to"):
        await say(verifier, tasks, answers[:3])


async def test_every_verifier_rejects_the_answer_to_another_task(judged: tuple[Verifier, Case]) -> None:
    verifier, (first, second) = judged[0], judged[1].tasks
    assert [v.passed for v in await say(verifier, [first, second], [second.answer, first.answer])] == [False, False]


@given(st.text(min_size=1), st.text())
def test_exact_passes_what_is_equal_apart_from_space_around_it(reference: str, answer: str) -> None:
    passed = make_verifier("exact").judge(make_task(answer=reference), answer).passed
    assert passed == (reference.strip() == answer.strip())


@pytest.mark.parametrize(
    ("answer", "passed"),
    [
        ("1234", True),
        ("1,234.0", True),
        ("first 5 + 7, so 1234", True),
        ("1.234e3", True),
        ("-1234", False),
        ("1234 or 1235", False),
        ("1e999", False),
        ("none", False),
    ],
)
def test_numeric_reads_the_last_number(answer: str, passed: bool) -> None:
    assert make_verifier("numeric").judge(make_task(answer="1234"), answer).passed == passed


def test_numeric_reads_a_typographic_minus() -> None:
    assert make_verifier("numeric").judge(make_task(answer="-5"), "−5").passed


@given(st.floats(-1e9, 1e9), st.floats(0, 2))
def test_numeric_passes_within_its_tolerance(reference: float, off: float) -> None:
    verdict = make_verifier("numeric", tolerance=1, relative=0).judge(
        make_task(answer=f"{reference:.6f}"), f"{reference + off:.6f}"
    )
    if abs(off - 1) > 1e-5:
        assert verdict.passed == (off < 1)


def test_numeric_calls_a_reference_without_a_number_a_bug() -> None:
    with pytest.raises(ValueError, match="'twelve' holds no number; use verifier 'exact'"):
        make_verifier("numeric").judge(make_task(answer="twelve"), "12")


@pytest.mark.parametrize(
    ("answer", "passed"),
    [("so the answer is 12", True), ("the answer is 13", False), ("12", False), ("the answer is ", False)],
)
def test_regex_compares_what_it_captures(answer: str, passed: bool) -> None:
    assert make_verifier("regex", pattern=REGEX).judge(make_task(), answer).passed == passed


def test_regex_takes_the_reference_literally() -> None:
    verifier = make_verifier("regex", pattern="^{answer}$")
    assert verifier.judge(make_task(answer="1.5"), "1.5").passed
    assert not verifier.judge(make_task(answer="1.5"), "1x5").passed


@pytest.mark.parametrize(
    ("answer", "score"),
    [
        ("the Norman conquest", 1.0),
        ("Conquest, Norman!", 1.0),
        ("conquest", 2 / 3),
        ("the Norman conquest of 1066", 2 / 3),
        ("Norman Norman", 0.5),
        ("no idea", 0.0),
    ],
)
def test_f1_scores_the_words_shared_with_the_reference(answer: str, score: float) -> None:
    verdict = make_verifier("f1").judge(make_task(answer="Norman conquest"), answer)
    assert verdict.score == pytest.approx(score)
    assert verdict.passed == (score == 1)


def test_f1_leaves_out_the_articles_it_is_told_to() -> None:
    german = make_verifier("f1", articles=["der", "die", "das"])
    assert german.judge(make_task(answer="das Haus"), "Haus").passed


def test_f1_calls_a_reference_without_a_word_a_bug() -> None:
    with pytest.raises(ValueError, match=r"'The …' holds no word; use verifier 'exact'"):
        make_verifier("f1").judge(make_task(answer="The …"), "the")


@given(st.text(), st.text(alphabet="ab c", min_size=1).filter(lambda t: bool(t.strip(" a"))))
def test_f1_is_a_share_and_whole_only_for_the_same_words(answer: str, reference: str) -> None:
    f1 = make_verifier("f1")
    score = f1.judge(make_task(answer=reference), answer).score
    assert 0 <= score <= 1
    assert f1.judge(make_task(answer=reference), reference).score == 1


def test_regex_refuses_a_pattern_that_does_not_compile() -> None:
    with pytest.raises(PartError, match=r"verifier 'regex': pattern: not a regular expression: .*unterminated"):
        make_verifier("regex", pattern="([)")


CALL = '[{"name": "add", "arguments": {"a": 1, "b": [2, 3]}}]'
TWICE = '[{"name": "add", "arguments": {"a": 1}}, {"name": "add", "arguments": {"a": 2}}]'


@pytest.mark.parametrize(
    ("answer", "passed"),
    [
        (CALL, True),
        ('Gladly.\n[{"name": "add", "arguments": {"b": [2, 3], "a": 1.0}}]', True),
        ('[{"name": "add", "arguments": {"a": 1, "b": [3, 2]}}]', False),
        ('[{"name": "add", "arguments": {"a": true, "b": [2, 3]}}]', False),
        ('[{"name": "add", "arguments": {"a": "1", "b": [2, 3]}}]', False),
        ('[{"name": "sub", "arguments": {"a": 1, "b": [2, 3]}}]', False),
        (f"{CALL}\n", False),
        ("6", False),
    ],
)
def test_tool_calls_compares_names_and_arguments_as_json(answer: str, passed: bool) -> None:
    verdict = make_verifier("tool_calls").judge(make_task(answer=CALL), answer)
    assert (verdict.passed, bool(verdict.reason)) == (passed, not passed)


def test_tool_calls_heeds_the_order_of_calls_only_where_it_is_told_to() -> None:
    swapped = '[{"name": "add", "arguments": {"a": 2}}, {"name": "add", "arguments": {"a": 1}}]'
    assert make_verifier("tool_calls").judge(make_task(answer=TWICE), swapped).passed
    assert not make_verifier("tool_calls", ordered=True).judge(make_task(answer=TWICE), swapped).passed
    assert not make_verifier("tool_calls").judge(make_task(answer=TWICE), CALL).passed


def test_tool_calls_wants_a_text_where_nothing_is_to_be_called() -> None:
    strict, lenient = make_verifier("tool_calls"), make_verifier("tool_calls", any_text=True)
    assert [v.judge(make_task(), "a dozen").passed for v in (strict, lenient)] == [False, True]
    assert [v.judge(make_task(), CALL).passed for v in (strict, lenient)] == [False, False]
    assert "got a call of 'add'" in strict.judge(make_task(), CALL).reason
