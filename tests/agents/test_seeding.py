from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from evolvent.agents import planning
from evolvent.agents.commands import seeding
from evolvent.agents.efficiency import Efficiency
from evolvent.agents.planning import Plan
from evolvent.memory.errors import BudgetError, EvolventError, UnavailableError

from ..killing import MINI
from .calling import Cli

Json = dict[str, Any]
Ends = Callable[[Path], str]
"""How a session in a folder ends: with a status, or an error."""


@pytest.fixture(scope="module")
def plans() -> list[Plan]:
    return [planning.plan(MINI, [], seed=seed, limit=None, allow_import=False) for seed in range(3)]


def fails(error: EvolventError) -> Ends:
    def end(_: Path) -> str:
        raise error

    return end


def ends(status: str) -> Ends:
    return lambda _: status


class Sessions:
    """Sessions that end as they are told, and what was said of them."""

    def __init__(self, *ends: Ends, without: Sequence[int] = ()) -> None:
        self.ends = ends
        self.without = without
        self.log: list[str] = []
        self.said: list[Json] = []
        self.since: list[float] = []

    def begin(self, plan: Plan, since: float, made: Callable[[Path], object]) -> Json:
        self.log.append(f"run {plan.seed}")
        self.since.append(since)
        made(Path(f"runs/{plan.seed}"))
        return {"status": self.ends[plan.seed](Path(f"runs/{plan.seed}"))}

    def measure(self, run: Path) -> Efficiency | None:
        self.log.append(f"measure {run.name}")
        seed = int(run.name)
        return None if seed in self.without else Efficiency(seed, 100, 0.5, 50, 10, reached=True)

    def write(self, what: Json | str) -> None:
        assert not isinstance(what, str)
        self.said.append(what)

    def compare(self, plans: Sequence[Plan], *, allow_import: bool = False) -> int:
        told = seeding.Told(True, self.write)
        return seeding.compare(plans, self.begin, told, since=-1000.0, allow_import=allow_import, measure=self.measure)

    @property
    def reasons(self) -> list[str]:
        return [said["reason"] for said in self.said if said["event"] == "left_out"]


def test_what_would_leave_no_twin_is_refused_before_anything_runs(evolvent: Cli, tmp_path: Path) -> None:
    settings = ("--set", "keep.checkpoints=promoted", "--set", "review=true", "--set", "control=false")
    said = evolvent("run", MINI, "--seeds", "2", *settings, "--runs-dir", tmp_path / "runs")
    assert said.code == 2, said
    assert 'set keep.checkpoints = "all"' in said.err
    assert "set review = false" in said.err
    assert "it needs control = true" in said.err
    assert said.out == ""
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("keep", ["promoted", "2"])
def test_weights_of_a_twin_that_would_go_are_refused(evolvent: Cli, keep: str) -> None:
    said = evolvent("run", MINI, "--seeds", "2", "--set", f"keep.checkpoints={keep}", "--dry-run")
    assert said.code == 2, said
    assert "would remove the weights of the twins" in said.err


def test_weights_that_all_stay_are_no_reason_to_refuse(evolvent: Cli) -> None:
    said = evolvent("run", MINI, "--seeds", "2", "--set", "keep.checkpoints=all", "--dry-run")
    assert said.code == 0, said


def test_each_session_is_measured_right_after_it_ended(plans: list[Plan]) -> None:
    sessions = Sessions(*[ends("finished")] * 3)
    assert sessions.compare(plans) == 0
    assert sessions.log == ["run 0", "measure 0", "run 1", "measure 1", "run 2", "measure 2"]
    assert [said["event"] for said in sessions.said] == ["seed", "seed", "seed", "seeds"]


def test_a_session_is_not_charged_with_the_time_of_those_before_it(plans: list[Plan]) -> None:
    sessions = Sessions(*[ends("finished")] * 3)
    sessions.compare(plans)
    first, second, third = sessions.since
    assert first == -1000.0
    assert 0 < second < third


def test_a_session_that_failed_is_left_out_and_takes_nothing_from_the_others(plans: list[Plan]) -> None:
    sessions = Sessions(ends("finished"), fails(BudgetError("budget.tokens is spent")), ends("finished"))
    assert sessions.compare(plans) == BudgetError.exit_code
    assert sessions.reasons == ["budget.tokens is spent; go on with: evolvent resume runs/1 --set budget.KEY=MORE"]
    assert [one["seed"] for one in sessions.said[-1]["seeds"]] == [0, 2]


def test_sessions_that_wait_or_trained_nothing_are_left_out(plans: list[Plan]) -> None:
    sessions = Sessions(ends("waiting"), ends("finished"), ends("finished"), without=[1])
    assert sessions.compare(plans, allow_import=True) == 0
    assert sessions.reasons == [
        "it is waiting; go on with: evolvent resume runs/0 --allow-import",
        "it trained nothing, so it has no twin; see: evolvent runs show runs/1",
    ]
    assert [one["seed"] for one in sessions.said[-1]["seeds"]] == [2]


def test_where_no_session_can_be_compared_that_is_an_error(plans: list[Plan]) -> None:
    with pytest.raises(EvolventError, match="no session trained a twin"):
        Sessions(*[ends("finished")] * 3, without=[0, 1, 2]).compare(plans)
    lost = Sessions(*[fails(UnavailableError("no server"))] * 3)
    assert lost.compare(plans) == UnavailableError.exit_code
    assert len(lost.reasons) == 3
