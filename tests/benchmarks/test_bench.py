import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from evolvent.benchmarks.bench import running
from evolvent.benchmarks.bench.course import Course, View, area, take
from evolvent.benchmarks.bench.experiment import Arm, Experiment, Figure, Outcome
from evolvent.benchmarks.bench.pupil import Pupil
from evolvent.benchmarks.bench.tasks import NOISE, SKILLS, Item, draw, mixture, part, right, spoiled, varied

from ..agents.calling import call


@pytest.mark.parametrize("name", running.known())
def test_every_experiment_says_what_it_claims_before_it_is_run(name: str) -> None:
    experiment = running.load(name)
    assert experiment.seeds >= 5
    assert experiment.claim
    assert experiment.expected
    assert experiment.protocol
    json.dumps(dict(experiment.protocol))


@pytest.mark.parametrize("skill", SKILLS)
def test_every_item_is_of_its_part_and_has_the_one_right_answer(skill: str) -> None:
    items = draw(skill, 20, Random(0), of="probe")
    assert all(right(item) and part(item.prompt) == "probe" for item in items)
    assert not any(right(spoiled(item, Random(1))) for item in items)


def test_sums_are_written_column_by_column_with_the_ones_first() -> None:
    for item in draw("add-4", 50, Random(0)):
        a, b = (int(item.prompt[start::2][::-1], 4) for start in (1, 2))
        assert int(item.answer[::-1], 4) == a + b


def test_a_mixture_keeps_to_its_shares() -> None:
    drawn = Counter(item.skill for item in mixture({"copy-3": 3, NOISE: 1}, 4000, Random(0)))
    assert drawn["copy-3"] == pytest.approx(3000, abs=120)


def shifted(by: float, ran: list[tuple[float, int]]) -> Callable[[int], Outcome]:
    def run(seed: int) -> Outcome:
        ran.append((by, seed))
        return Outcome({"score": by + 0.1 * seed})

    return run


def make_experiment(ran: list[tuple[float, int]], **protocol: int) -> Experiment:
    arms = [Arm("plain", shifted(0.0, ran)), Arm("better", shifted(1.0, ran))]
    return Experiment("one is more than zero", "higher", arms, "plain", [Figure("score")], protocol)


def test_an_experiment_goes_on_where_it_stopped_and_says_in_words_what_came_out(tmp_path: Path) -> None:
    ran: list[tuple[float, int]] = []
    lines: list[str] = []
    running.conduct("one", make_experiment(ran, n=1), about="", seeds=3, say=lines.append, folder=tmp_path)
    running.conduct("one", make_experiment(ran, n=1), about="", seeds=5, say=lines.append, folder=tmp_path)
    assert sorted(ran) == [(by, seed) for by in (0.0, 1.0) for seed in range(5)]
    kept = json.loads((tmp_path / "one.json").read_text())
    assert kept["words"] == {"better": "helps"}
    assert "helps" in lines[-1]


def test_runs_of_another_protocol_are_not_taken_for_its_own(tmp_path: Path) -> None:
    ran: list[tuple[float, int]] = []
    running.conduct("one", make_experiment(ran, n=1), about="", seeds=2, say=lambda _: None, folder=tmp_path)
    running.conduct("one", make_experiment(ran, n=2), about="", seeds=2, say=lambda _: None, folder=tmp_path)
    assert len(ran) == 8


def test_no_experiment_without_its_baseline() -> None:
    with pytest.raises(ValueError, match="'other' must be one of the arms"):
        Experiment("c", "e", [], "other", [Figure("score")])


@pytest.mark.slow
def test_a_pupil_learns_to_copy_and_its_exam_agrees_with_its_losses() -> None:
    pupil, exam = Pupil(0), draw("copy-3", 90, Random(1), of="exam")
    before = pupil.losses(exam).mean()
    pupil.learn(draw("copy-3", 8_000, Random(0)))
    assert pupil.passes(exam).mean() > 0.9
    assert pupil.losses(exam).mean() < 0.2 * before


@pytest.mark.slow
def test_the_same_seed_gives_the_same_pupil() -> None:
    items = mixture({"copy-3": 1, "sort-3": 1}, 320, Random(0))
    losses = [Pupil(3).learn(items) for _ in range(2)]
    assert losses[0] == losses[1]


def test_the_command_lists_every_experiment_and_knows_no_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "bench", "--list") == 0
    listed = capsys.readouterr().out
    assert all(line.split()[0] in running.known() for line in listed.splitlines())
    assert len(listed.splitlines()) == len(running.known())
    assert call(monkeypatch, "bench", "alocation") == 2
    assert "did you mean 'allocation'" in capsys.readouterr().err


def test_a_varied_item_is_another_training_task_of_the_same_skill_with_its_right_answer() -> None:
    rng = Random(0)
    for skill in ("sort-5", "subtract-4", "add-3", "list-a", NOISE):
        item = draw(skill, 1, rng, of="probe")[0]
        new = varied(item, rng)
        assert (new.skill, part(new.prompt), len(new.prompt)) == (skill, "train", len(item.prompt))
        assert right(new)


def test_a_course_that_ends_early_is_not_held_against_its_steepest_part() -> None:
    assert area([[0, 0.0], [100, 1.0]], 200) == pytest.approx((50 + 100) / 200)
    assert area([[0, 0.0], [100, 1.0]], 50) == pytest.approx(0.5)


@pytest.mark.slow
def test_a_course_charges_probes_and_gives_up_noise_in_the_round_that_says_so() -> None:
    seen: list[bool] = []

    def teach(view: View, count: int, rng: Random) -> list[Item]:
        seen.append(next(h.abandoned for h in view.histories if h.skill == NOISE))
        return draw("list-a", count // 2, rng) + draw(NOISE, count - count // 2, rng)

    skills = {"list-a": 0.5, NOISE: 0.5}
    course = Course(skills=skills, first={"list-a": 1}, first_samples=500, round=400, most=1_600, every=200)
    outcome = take(course, 0, teach, probed=True, stop=False)
    assert seen == [False, False, True, True]
    # the rounds' samples, probes among them, are what is counted
    assert outcome.curve[-1][0] == 1_600
    assert outcome.notes["taught"]["list-a"] == 4 * (400 - 2 * course.probes) // 2
    assert outcome.figures["noise"] == 0.5
