"""A model of exactly-once: whatever dies where, a step happens once, and what it made is there or is not."""

import asyncio
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from evolvent.memory import crash
from evolvent.memory.effects import Effects, Outcome
from evolvent.memory.errors import LedgerError
from evolvent.memory.ledger import Ledger
from evolvent.memory.records import Share

BEGIN = ("effect.before_intent", "effect.after_intent")
FILL = ("train.before_seal", "effect.before_publish", "effect.after_publish")
END = ("effect.before_commit", "effect.after_commit")
WORK = "work"
STEPS = ("probe", "train", "decide", "control")
FOLDERS = ("train", "control")

hits: Counter[str] = Counter()


class DiedError(BaseException):
    """Stands for SIGKILL."""


def make_effects(folder: Path) -> Effects:
    path = folder / "ledger.sqlite"
    if not path.exists():
        Ledger.create(path)
    return Effects(Ledger(path), folder, "session")


def make_share(value: int) -> Share:
    return Share(round=1, skill="carry", weakness=None, samples=value, reason="")


def outcome(value: int) -> Outcome:
    return Outcome({"value": value}, [make_share(value)])


def died(work: Callable[[], Coroutine[Any, Any, dict[str, Any]]], point: str) -> dict[str, Any] | None:
    """Run a step that dies at a point, if it passes it; crash points count what they saw of this process."""

    def kill(_pid: int, _signal: int) -> None:
        hits[point] += 1
        raise DiedError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "kill", kill)
        patch.setenv(crash.VARIABLE, f"{point}:{hits[point] + 1}" if point in crash.POINTS else "")
        try:
            return asyncio.run(work())
        except DiedError:
            return None


class Steps(RuleBasedStateMachine):
    """Steps that are begun, die anywhere and are begun again."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.effects = make_effects(self.folder)
        self.worked = 0
        self.published: dict[str, int] = {}
        self.committed: dict[str, int] = {}

    def teardown(self) -> None:
        self.effects.ledger.close()
        shutil.rmtree(self.folder)

    @rule()
    def resume(self) -> None:
        self.effects.ledger.close()
        self.effects = make_effects(self.folder)

    @rule(step=st.sampled_from(STEPS), point=st.sampled_from(("never", WORK, *BEGIN, *FILL, *END)))
    def begin(self, step: str, point: str) -> None:
        passed = self._passed(step)
        fresh = WORK in passed
        result = died(lambda: self._do(step, point), point)
        value = self.worked if fresh else self.committed.get(step, self.published.get(step, 0))
        if point in passed:
            assert result is None
            self._note(step, value, passed[: passed.index(point) + 1])
            self.resume()
        else:
            assert result == {"value": value}
            self._note(step, value, passed)

    @invariant()
    def what_was_acknowledged_is_there_and_nothing_else(self) -> None:
        ledger = self.effects.ledger
        assert ledger.committed() == len(self.committed)
        assert {step: ledger.result(step, 1) for step in self.committed} == {
            step: {"value": value} for step, value in self.committed.items()
        }
        assert sorted(share.samples for share in ledger.read(Share)) == sorted(self.committed.values())

    @invariant()
    def a_folder_is_whole_or_not_there(self) -> None:
        found = {path.name: int((path / "value").read_text()) for path in self.folder.glob("rounds/*")}
        assert found == self.published

    def _passed(self, step: str) -> list[str]:
        """Points that a step passes as things stand, in order."""
        if step in self.committed:
            return []
        if step not in FOLDERS:
            return [*BEGIN, WORK, *END]
        return [*BEGIN, *([] if step in self.published else [WORK, *FILL]), *END]

    def _note(self, step: str, value: int, passed: list[str]) -> None:
        if "effect.after_publish" in passed:
            self.published[step] = value
        if "effect.after_commit" in passed:
            self.committed[step] = value

    async def _do(self, step: str, point: str) -> dict[str, Any]:
        def work() -> int:
            self.worked += 1
            if point == WORK:
                raise DiedError
            return self.worked

        async def once() -> Outcome:
            return outcome(work())

        async def fill(folder: Path) -> None:
            (folder / "half").write_text("written before it could die")
            (folder / "value").write_text(str(work()))

        if step not in FOLDERS:
            return await self.effects.once(step, 1, once, inputs={})
        target = self.folder / "rounds" / step
        return await self.effects.folder(
            step, 1, fill, lambda f: outcome(int((f / "value").read_text())), target=target, inputs={}
        )


@pytest.mark.slow
def test_a_step_happens_exactly_once_wherever_it_dies() -> None:
    run_state_machine_as_test(Steps, settings=settings(max_examples=15, stateful_step_count=10, deadline=None))


async def test_a_step_that_was_done_gives_its_old_result_without_working(tmp_path: Path) -> None:
    effects = make_effects(tmp_path)
    calls = 0

    async def work() -> Outcome:
        nonlocal calls
        calls += 1
        return outcome(calls)

    assert await effects.once("probe", 1, work, inputs={"student": "a"}) == {"value": 1}
    assert await effects.once("probe", 1, work, inputs={"student": "a"}) == {"value": 1}
    assert await effects.once("probe", 2, work, inputs={"student": "a"}) == {"value": 2}
    assert calls == 2


async def test_other_inputs_for_a_step_that_was_begun_are_refused(tmp_path: Path) -> None:
    effects = make_effects(tmp_path)

    async def work() -> Outcome:
        return Outcome()

    await effects.once("probe", 1, work, inputs={"student": "a"})
    with pytest.raises(LedgerError, match=r"step 'probe' of round 1 was begun with other inputs; .* start a new one"):
        await effects.once("probe", 1, work, inputs={"student": "b"})


async def test_a_damaged_folder_is_filled_again_and_a_foreign_one_replaced(tmp_path: Path) -> None:
    target = tmp_path / "rounds" / "001"
    target.mkdir(parents=True)
    (target / "foreign").write_text("left by somebody else")

    async def fill(folder: Path) -> None:
        (folder / "value").write_text("7")

    made = await make_effects(tmp_path).folder("train", 1, fill, lambda _: outcome(7), target=target, inputs={})
    assert made == {"value": 7}
    assert not (target / "foreign").exists()


@pytest.mark.parametrize("living", [True, False])
async def test_a_folder_somebody_works_in_is_gone_on_with_and_any_other_begins_empty(
    tmp_path: Path, *, living: bool
) -> None:
    effects = make_effects(tmp_path)
    found: list[bool] = []

    async def work(folder: Path) -> None:
        found.append((folder / WORK).exists())
        (folder / WORK).write_text("done")

    left = tmp_path / "staging" / effects.key("train", 1, {})
    left.mkdir(parents=True)
    (left / WORK).touch()
    await effects.folder(
        "train", 1, work, lambda _: outcome(1), target=tmp_path / "001", inputs={}, keep=lambda folder: living
    )
    assert found == [living]
    assert (tmp_path / "001" / WORK).read_text() == "done"


def test_an_unknown_crash_point_is_an_error() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(crash.VARIABLE, "effect.before_comit")
        with pytest.raises(ValueError, match=r"'effect\.before_comit' is not listed"):
            crash.point("effect.before_commit")


def test_every_crash_point_is_passed_somewhere() -> None:
    root = Path(crash.__file__).parents[1]
    text = "".join(
        path.read_text() for room in ("agents", "memory", "training") for path in (root / room).rglob("*.py")
    )
    assert {name for name in crash.POINTS if f'crash.point("{name}")' not in text} == set()
