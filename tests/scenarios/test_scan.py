import os
from pathlib import Path
from random import Random
from typing import Any

import pytest

from evolvent.memory.errors import PartError
from evolvent.memory.records import Task
from evolvent.scenarios import loader
from evolvent.scenarios.commands import VERBS, carry_out, commands
from evolvent.scenarios.source import Source

from .builders import make_source, make_splits

JUMP = {"having": ["jump"], "words": [2, 9]}
SCENARIO = Path(loader.__file__).with_name("scan.toml")


def every(source: Source, **settings: Any) -> list[Task]:
    return source.draw("skill", settings, 10**6, Random(0), allowed=lambda _: True)


@pytest.mark.skipif("EVOLVENT_DATA" not in os.environ, reason="needs the public data: set EVOLVENT_DATA to its folder")
def test_the_grammar_agrees_with_every_public_line() -> None:
    lines = (Path(os.environ["EVOLVENT_DATA"]) / "scan" / "tasks.txt").read_text().splitlines()
    public = dict(line.removeprefix("IN: ").split(" OUT: ") for line in lines)
    assert len(lines) == len(public) == 20_910
    assert {command: " ".join(carry_out(command)) for command in commands()} == public


@pytest.mark.parametrize(
    ("command", "actions"),
    [
        ("jump", "I_JUMP"),
        ("turn opposite left", "I_TURN_LEFT I_TURN_LEFT"),
        ("walk around right", "I_TURN_RIGHT I_WALK I_TURN_RIGHT I_WALK I_TURN_RIGHT I_WALK I_TURN_RIGHT I_WALK"),
        ("run twice after look left", "I_TURN_LEFT I_LOOK I_RUN I_RUN"),
    ],
)
def test_a_command_is_carried_out_as_published(command: str, actions: str) -> None:
    assert " ".join(carry_out(command)) == actions


@pytest.mark.parametrize(
    "command", ["", "turn", "twice", "walk left left", "walk and", "walk and run and look", "left"]
)
def test_what_is_no_command_is_refused(command: str) -> None:
    with pytest.raises(ValueError, match="no command of SCAN"):
        carry_out(command)


def test_the_published_splits_have_their_published_sizes() -> None:
    source = make_source("scan")
    assert source.size("jump", JUMP) == 7_706
    assert source.size("others", {"lacking": ["jump"], "besides": ["jump"]}) == 20_910 - 7_706
    assert source.size("long", {"actions": [23, 48]}) == 3_920


def test_letters_say_what_words_say() -> None:
    words = {task.key: task for task in every(make_source("scan"))}
    letters = {task.key: task for task in every(make_source("scan", spelling="letters"))}
    assert letters["walk opposite right thrice after run"].prompt == "wo>3@r"
    assert letters["walk opposite right thrice after run"].answer == "R>>W>>W>>W"
    assert words.keys() == letters.keys()
    # one to one: as many prompts and answers as with words, and as long in letters as in words
    for said in ("prompt", "answer"):
        pairs = {(getattr(words[key], said), getattr(letters[key], said)) for key in words}
        assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})
        assert all(len(a.split()) == len(b) for a, b in pairs)


@pytest.mark.parametrize("spelling", ["words", "letters"])
def test_what_was_drawn_is_solved_and_adopted_from_its_prompt(spelling: str) -> None:
    source = make_source("scan", spelling=spelling, invented=["dax"])
    tasks = source.draw("skill", {}, 300, Random(1), allowed=lambda _: True)
    assert any("dax" in task.key for task in tasks)
    for task in tasks:
        assert source.solve(task) == task.answer
        assert source.adopt("skill", {}, task.prompt, task.answer) == task
    strange = tasks[0].model_copy(update={"prompt": "walk walk walk"})
    assert source.solve(strange) is None
    with pytest.raises(ValueError, match="no task of skill"):
        source.adopt("skill", {}, strange.prompt, "I_WALK")


def test_invented_verbs_make_more_commands_and_leave_the_others_as_they_were() -> None:
    assert set(commands()) < set(commands((*VERBS, "dax")))
    source = make_source("scan", invented=["dax", "fep"])
    assert {word for task in every(source, having=["dax", "fep"]) for word in task.key.split()} >= {"dax", "fep"}


@pytest.mark.parametrize(
    ("invented", "reason"),
    [
        (["walk"], "none of SCAN's own words"),
        (["Dax"], "use small letters"),
        (["wif"], "its first letter must be its own"),
        (["dax", "dup"], "its first letter must be its own"),
    ],
)
def test_a_verb_that_could_be_taken_for_another_word_is_refused(invented: list[str], reason: str) -> None:
    with pytest.raises(PartError, match=reason):
        make_source("scan", invented=invented)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"having": ["jmp"]}, r"no command has 'jmp'.*jump"),
        ({"besides": ["jump jump"]}, r"besides 'jump jump' is no command"),
        ({"having": ["jump"], "lacking": ["jump"]}, r"no command meets"),
        ({"verbs": ["jump"]}, r"no setting .verbs."),
    ],
)
def test_settings_that_no_command_meets_are_refused(settings: dict[str, Any], reason: str) -> None:
    with pytest.raises(PartError, match=reason):
        make_source("scan").check("skill", settings)


def test_the_student_of_the_scenario_has_seen_jump_alone_and_in_nothing_else() -> None:
    scenario = loader.load(SCENARIO)
    splits = make_splits(scenario)
    known = {task.key for task in splits.draw("others", "train", 10**6, stream="first")}
    assert "jump" in known
    assert not any("jump" in key.split() for key in known - {"jump"})


def test_half_of_the_jump_commands_are_exams_and_the_other_half_may_be_taught() -> None:
    scenario = loader.load(SCENARIO)
    splits = make_splits(scenario)
    every = {part: splits.draw("jump", part, 10**6, stream="all") for part in ("probe", "exam", "report", "train")}
    held = len(every["exam"]) + len(every["report"])
    assert held + len(every["probe"]) + len(every["train"]) == 7_706
    assert 0.48 < held / 7_706 < 0.52
    new = int(scenario.rounds.samples * (1 - scenario.curation.replay))
    # one skill gets half of what is new at most: the allocator's cap
    assert scenario.rounds.most * new // 2 <= 0.1 * (7_706 - held)
