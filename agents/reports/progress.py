"""Progress a person wants to watch, on standard error: what came out, and on a terminal a line that says what runs."""

import time
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from rich.console import Console
from rich.markup import escape

from ...memory.display import visible
from ...memory.statistics import wilson
from ..judging.jury import Jury

MARKS = {"open": "○", "taught": "◐", "fixed": "●", "regressed": "↺", "abandoned": "✕"}


class Ticking:
    """A line that is made anew whenever it is drawn, so that its clock goes on within a stage."""

    def __init__(self, say: Callable[[], str]) -> None:
        self.say = say

    def __rich__(self) -> str:
        return self.say()


class Progress:
    """Says what happens in a session as it happens."""

    def __init__(self, rounds: int, *, expected: float | None = None) -> None:
        self.console = Console(stderr=True, highlight=False, soft_wrap=True)
        self.rounds = rounds
        self.expected = expected
        self._since = time.monotonic()
        self._warned = False
        self._status = self.console.status("starting") if self.console.is_terminal else None
        self._words: dict[str, Callable[[Mapping[str, Any]], list[str]]] = {
            "student": self._student, "baseline": self._baseline, "probe": self._probe, "diagnose": self._diagnose,
            "allocate": self._allocate, "critique": self._critique, "curate": self._curate, "train": self._train,
            "control": self._control, "inherit": self._inherit, "examine": self._examine, "decide": self._decide,
            "report": self._report, "rewind": self._rewind, "discover": self._discover, "tidy": self._tidy,
            "replace": self._replace, "review": self._review, "evaluate": self._evaluate,
        }  # fmt: skip

    def start(self) -> None:
        """Show the status line, where there is a terminal."""
        if self._status:
            self._status.start()

    def stop(self) -> None:
        """Take the status line away."""
        if self._status:
            self._status.stop()

    def on(self, event: str, facts: Mapping[str, Any]) -> None:
        """Take one event."""
        if event == "node":
            self._stage(str(facts["name"]), int(facts["round"]))
            return
        if event in self._words:
            for line in self._words[event](facts):
                self.console.print(f"[dim]{self._clock()}[/dim]  {line}")

    _labels: ClassVar[dict[str, str]] = {"finish": "control arm and sealed report", "baseline": "first student"}

    def _clock(self) -> str:
        seconds = int(time.monotonic() - self._since)
        return f"{seconds // 60:2d}:{seconds % 60:02d}"

    def _stage(self, name: str, round: int) -> None:
        if self._status:
            where = f"round {round} of {self.rounds}" if 0 < round <= self.rounds else "session"
            self._status.update(
                Ticking(lambda: f"{where} · {self._labels.get(name, name)} · {self._clock()}{self._eta()}")
            )

    def _eta(self) -> str:
        if not self.expected:
            return ""
        left = self.expected - (time.monotonic() - self._since)
        return f" · about {round_up(left):.0f} s left at most" if left > 0 else " · longer than estimated"

    def _rewind(self, _: Mapping[str, Any]) -> list[str]:
        return ["[bold]ledger[/bold]    is older than the run; going on from there, with the steps after it once more"]

    def _discover(self, facts: Mapping[str, Any]) -> list[str]:
        found = ", ".join(f"{escape(skill)} {count:,}" for skill, count in sorted(facts["skills"].items()))
        return [f"[bold]skills[/bold]    {facts['asked']:,} tasks sorted into {found}"]

    def _student(self, facts: Mapping[str, Any]) -> list[str]:
        if "model" in facts:
            return [f"[bold]student[/bold]   {escape(visible(facts['model']))}, as it is"]
        how = "from the cache" if facts["cached"] else f"first trained on {facts['tasks']:,} easy tasks"
        return [f"[bold]student[/bold]   {how}"]

    def _inherit(self, facts: Mapping[str, Any]) -> list[str]:
        taken = f"{facts['kept']:,} samples, {facts['memories']:,} memories"
        why = ", ".join(f"{escape(reason)} {count}" for reason, count in sorted(facts["rejected"].items()))
        rejected = f"; rejected {why}" if why else ""
        return [f"[bold]student[/bold]   that of {escape(str(facts['run']))}, with {taken}{rejected}"]

    def _baseline(self, facts: Mapping[str, Any]) -> list[str]:
        return [f"[bold]baseline[/bold]  {_rates(facts['rates'])}"]

    def _probe(self, facts: Mapping[str, Any]) -> list[str]:
        lines = [f"[bold]round {facts['round']}[/bold]   probe     {facts['asked']} tasks asked"]
        for skill, (passed, tried, verdict) in sorted(facts["shown"].items()):
            low, high = wilson(passed, tried)
            lines.append(
                f"            {escape(skill):22} {passed / tried:4.0%} [{low:.0%}, {high:.0%}] of {tried:<4} {verdict}"
            )
        return lines

    def _diagnose(self, facts: Mapping[str, Any]) -> list[str]:
        found = facts["weaknesses"]
        lines = [f"          diagnose  {len(found)} weaknesses known"]
        for words, state, passed, tried in found:
            lines.append(f"            {MARKS[state]} {state:9} {passed:3}/{tried:<3} {escape(visible(words))}")
        return lines

    def _allocate(self, facts: Mapping[str, Any]) -> list[str]:
        given = ", ".join(f"{escape(s)} {n}" for s, n in sorted(facts["given"].items()) if n)
        return [f"          allocate  {given}"]

    def _critique(self, facts: Mapping[str, Any]) -> list[str]:
        jury = Jury(facts.get("judges") or {})
        if jury.faults and jury.lacking:
            return [f"          critique  [yellow]nothing passes on opinion[/yellow]: {escape(visible(jury.lacking))}"]
        faults = {judge: fault for judge, fault in jury.faults.items() if fault}
        return [f"          critique  judge {escape(j)} does not gate: {escape(visible(f))}" for j, f in faults.items()]

    def _curate(self, facts: Mapping[str, Any]) -> list[str]:
        rejected = facts["rejected"]
        why = ", ".join(f"{escape(reason)} {count}" for reason, count in sorted(rejected.items()))
        return [
            f"          curate    kept {facts['kept']:,}, rejected {sum(rejected.values()):,}"
            + (f" ({why})" if why else "")
        ]

    def _review(self, facts: Mapping[str, Any]) -> list[str]:
        if "accepted" not in facts:
            return ["          review    the round was refused"]
        counts = ", ".join(f"{facts[what]:,} {what}" for what in ("accepted", "edited", "rejected"))
        lost = facts["edits_refused"]
        return [f"          review    {counts}" + (f"; edits refused {lost:,}: see `evolvent explain`" if lost else "")]

    def _train(self, facts: Mapping[str, Any]) -> list[str]:
        own = f" ({facts['solved']:,} solved before)" if "solved" in facts else ""
        said = f"{facts['steps']} steps, loss {facts['loss']:.3f}, {facts['seconds']:.0f} s"
        return [
            f"          train     {facts['samples']:,} samples{own}, {said}",
            *self._once(facts.get("repetition", "")),
        ]

    def _once(self, said: str) -> list[str]:
        """What need not be said every round."""
        if not said or self._warned:
            return []
        self._warned = True
        return [f"                    [dim]{escape(said)}[/dim]"]

    def _control(self, facts: Mapping[str, Any]) -> list[str]:
        return [f"[bold]control[/bold]   {self._train(facts)[0].strip().removeprefix('train').strip()}, drawn evenly"]

    def _examine(self, facts: Mapping[str, Any]) -> list[str]:
        return [f"          examine   {_rates(facts['rates'])}"]

    def _evaluate(self, facts: Mapping[str, Any]) -> list[str]:
        return [f"          evaluate  {_rates(facts['scores'])}"]

    def _decide(self, facts: Mapping[str, Any]) -> list[str]:
        what = "[bold green]promoted[/bold green]" if facts["promoted"] else "[yellow]not promoted[/yellow]"
        return [f"          decide    {what}: {escape(facts['reason'])}"]

    def _replace(self, facts: Mapping[str, Any]) -> list[str]:
        what = "[bold green]took the place[/bold green]" if facts["replaced"] else "[yellow]did not take it[/yellow]"
        return [f"          clean     {what} of the tainted student: {escape(facts['reason'])}"]

    def _tidy(self, facts: Mapping[str, Any]) -> list[str]:
        rounds = ", ".join(map(str, facts["rounds"]))
        return [f"          tidy      weights of round {rounds} removed, {facts['bytes'] / 1e6:,.1f} MB freed"]

    def _report(self, facts: Mapping[str, Any]) -> list[str]:
        return [f"[bold]sealed[/bold]    {name:8} {_rates(rates)}" for name, rates in facts["rates"].items()]


def round_up(seconds: float) -> int:
    """Round to 5 seconds: an estimate should look like one."""
    return int(-(-seconds // 5) * 5)


def _rates(rates: Mapping[str, float]) -> str:
    return "  ".join(f"{escape(skill)} {rate:.0%}" for skill, rate in sorted(rates.items()))
