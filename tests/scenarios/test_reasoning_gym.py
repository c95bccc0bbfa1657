import json
import os
import subprocess
import sys
from importlib.util import find_spec
from random import Random
from typing import Any

import pytest

from evolvent.memory.errors import PartError
from evolvent.memory.records import Task
from evolvent.scenarios import gym

from .builders import make_source, make_task, make_verifier

THERE = find_spec("reasoning_gym") is not None
needed = pytest.mark.skipif(not THERE, reason="reasoning-gym is not installed")


def draw(count: int, skill: str = "gcd", **kind: Any) -> list[Task]:
    return make_source("reasoning_gym").draw(skill, kind, count, Random(0), allowed=lambda _: True)


@pytest.mark.skipif(THERE, reason="reasoning-gym is installed")
@pytest.mark.parametrize("make", [make_source, make_verifier])
def test_without_its_package_the_way_to_it_is_said(make: Any) -> None:
    with pytest.raises(PartError, match=r"reasoning-gym is not installed; try: pip install 'evolvent\[reasoning\]'"):
        make("reasoning_gym")


@needed
def test_a_task_is_named_by_its_skill_or_by_a_setting() -> None:
    assert draw(5) == [t.model_copy(update={"skill": "gcd"}) for t in draw(5, "divisors", name="gcd")]


@needed
def test_levels_make_tasks_harder() -> None:
    low, high = (draw(30, "spell_backward", level=level) for level in (0, 12))
    assert max(len(t.answer) for t in low) < max(len(t.answer) for t in high)
    (one, *_) = draw(1, "spell_backward", levels={"word_len": 3}, items=500)
    assert json.loads(one.checks)["levels"] == [["word_len", 3]]


@needed
def test_a_small_task_is_counted_and_drawn_whole() -> None:
    source, kind = make_source("reasoning_gym"), {"level": 0, "items": 3_000}
    size = source.size("chain_sum", kind)
    assert size == 200  # two numbers below 10, added or subtracted
    assert len(draw(1_000, "chain_sum", **kind)) == size


@needed
def test_a_large_task_is_never_counted_for_more_than_there_is() -> None:
    source = make_source("reasoning_gym")
    for name, config in (("spell_backward", {"min_word_len": 6, "max_word_len": 8}), ("lcm", {})):
        kind = {"name": name, "items": 12_000, "config": config}
        assert 0 < source.size("any", kind) <= len(draw(12_000, "any", **kind))


@needed
def test_the_second_way_makes_the_item_again_and_knows_no_other_task() -> None:
    (task,) = draw(1)
    source = make_source("reasoning_gym")
    assert source.solve(task.model_copy(update={"answer": "wrong"})) == task.answer
    assert source.solve(task.model_copy(update={"prompt": "another"})) is None
    assert source.solve(source.adopt("gcd", {}, "GCD of 4 and 6?", "2")) is None


@needed
def test_answers_are_scored_as_the_package_scores_them() -> None:
    verifier = make_verifier("reasoning_gym")
    (task, other) = draw(2, "countdown", items=100)
    assert verifier.judge(task, task.answer).passed
    assert verifier.judge(task, f"({task.answer}) + 0").score < 1
    assert verifier.judge(task, other.answer).score < 1
    (fraction,) = draw(1, "complex_arithmetic")
    shown = make_verifier("reasoning_gym").judge(fraction, "0.5 + 0.5i")
    assert 0 <= shown.score < 1
    assert "its scorer gives" in shown.reason


@needed
def test_an_answer_that_would_run_code_changes_nothing_and_is_wrong(tmp_path: Any) -> None:
    (task,) = draw(1, "countdown", items=100)
    verifier = make_verifier("reasoning_gym", seconds=1)
    for code in (f"open({str(tmp_path / 'made')!r}, 'w')", "__import__('os').system('true')", "9**9**9**9"):
        assert not verifier.judge(task, code).passed
    assert os.listdir(tmp_path) == []
    assert verifier.judge(task, task.answer).passed


@needed
def test_what_a_scorer_stumbles_over_is_wrong() -> None:
    (task,) = draw(1, "prime_factorization")
    verdict = make_verifier("reasoning_gym").judge(task, "two times two")
    assert (verdict.score, "cannot read it: ValueError" in verdict.reason) == (0.0, True)


@needed
def test_a_task_that_somebody_else_wrote_is_compared_as_text() -> None:
    task = make_task(answer="2", prompt="GCD of 4 and 6?")
    assert [make_verifier("reasoning_gym").judge(task, answer).passed for answer in (" 2 ", "two", "")] == [
        True,
        False,
        False,
    ]


@needed
def test_a_task_that_the_package_makes_otherwise_is_a_mistake_of_the_scenario() -> None:
    (task,) = draw(1)
    verifier = make_verifier("reasoning_gym")
    with pytest.raises(ValueError, match="makes another question of it"):
        verifier.judge(task.model_copy(update={"prompt": "another"}), "1")


@needed
@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ({"name": "gdc"}, r"reasoning-gym has no task 'gdc'; did you mean 'gcd'\?"),
        ({"config": {"min_nmbers": 2}}, r"of reasoning-gym refuses its settings: .*min_nmbers.*; its config takes: "),
        ({"config": {"min_numbers": 9}}, r"refuses its settings: "),
        ({"level": 1, "levels": {"nmbers": 1}}, r"the curriculum of 'gcd' has no 'nmbers'; did you mean .*; it has: "),
        ({"levels": {"num_terms": 99}}, r"level 99 of 'num_terms' in 'gcd'; use 0 to "),
        ({"name": "composite", "level": 1}, r"task 'composite' of reasoning-gym has no curriculum; use config"),
        ({"name": "rush_hour"}, r"'rush_hour' of reasoning-gym knows no reference answers"),
        ({"name": "game_of_life_halting"}, r"has a scorer that takes 'no answer' for right; take another"),
        ({"items": 2}, r"skills\.gcd\.task: source 'reasoning_gym': items: "),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_or_judged_is_refused(kind: dict[str, Any], reason: str) -> None:
    with pytest.raises(PartError, match=reason) as caught:
        make_source("reasoning_gym").check("gcd", kind)
    assert "\n" not in str(caught.value)


@needed
def test_tasks_that_differ_between_processes_are_refused() -> None:
    with pytest.raises(PartError, match="makes other questions in another process"):
        make_source("reasoning_gym").check("ransom_note", {})


@needed
def test_tasks_are_the_same_in_another_process() -> None:
    script = (
        "from evolvent.scenarios import gym\n"
        "recipe = gym.Recipe('letter_counting', 500, 1, (), '{}')\n"
        "print([gym.item(recipe, n).key for n in range(20)])\n"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    recipe = gym.Recipe("letter_counting", 500, 1, (), "{}")
    assert said.stdout.strip() == str([gym.item(recipe, n).key for n in range(20)])
