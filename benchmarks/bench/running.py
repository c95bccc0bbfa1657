"""Running an experiment: seeds in turn, every result on disk as it is there, so that it goes on where it stopped."""

import importlib
import json
import os
import pkgutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import ModuleType

from ...memory.files import digest
from .. import lab
from ..machine import RESULTS, Check, facts
from .comparing import Compared, table
from .experiment import Experiment, Figure, Json, Outcome

FOLDER = RESULTS / "lab"


def known() -> list[str]:
    """Names of all experiments."""
    return sorted(found.name for found in pkgutil.iter_modules(lab.__path__) if found.name != "__main__")


def load(name: str) -> Experiment:
    """Import an experiment by its file name."""
    made: Experiment = _module(name).experiment()
    return made


def run(name: str, *, seeds: int | None = None, say: Callable[[str], None] = print) -> list[Check]:
    """Run what is missing of an experiment that is found by its name; see `conduct`."""
    about = (_module(name).__doc__ or "").strip()
    return conduct(name, load(name), about=about, seeds=seeds, say=say)


def conduct(
    name: str, experiment: Experiment, *, about: str, seeds: int | None, say: Callable[[str], None] = print,
    folder: Path = FOLDER,
) -> list[Check]:  # fmt: skip
    """Run what is missing of an experiment, print what came out, and give its checks.

    Args:
        name: of its file of results.
        experiment: what is run.
        about: its description, which is kept beside the results.
        seeds: how many, from the experiment's first on; its own number by default.
        say: where lines go.
        folder: where results are kept.
    """
    path, head = folder / f"{name}.json", _head(experiment, about)
    kept = _read(path, experiment)
    wanted = range(experiment.first, experiment.first + (seeds or experiment.seeds))
    say(f"\n{name}: {experiment.claim}")
    for seed in wanted:
        # arms take turns within a seed, so that an experiment that is cut short has whole pairs
        for arm in experiment.arms:
            if str(seed) in kept.setdefault(arm.name, {}):
                continue
            since = time.perf_counter()
            outcome = arm.run(seed)
            seconds = time.perf_counter() - since
            kept[arm.name][str(seed)] = {**outcome._asdict(), "seconds": round(seconds, 2), "commit": _commit()}
            _write(path, {**head, "runs": kept})
            say(f"  seed {seed}  {arm.name:<24} {_figures(outcome, experiment)}  {seconds:.1f} s")
    outcomes = {arm.name: [_outcome(kept[arm.name][str(seed)]) for seed in wanted] for arm in experiment.arms}
    compared = table(outcomes, experiment.figures, experiment.baseline)
    checks = [Check(*claim) for claim in experiment.checks(outcomes)] if experiment.checks else []
    say("\n".join([*_lines(experiment, compared, len(wanted)), "", *(check.line() for check in checks)]))
    _write(path, {**head, **_summary(experiment, compared, checks), "made": facts(), "runs": kept})
    return checks


def _summary(experiment: Experiment, compared: Mapping[str, Mapping[str, Compared]], checks: Sequence[Check]) -> Json:
    deciding = experiment.figures[0]
    return {
        "words": {a: own[deciding.name].word(deciding) for a, own in compared.items() if a != experiment.baseline},
        "summary": {
            arm: {f.name: {**own[f.name]._asdict(), "word": own[f.name].word(f)} for f in experiment.figures}
            for arm, own in compared.items()
        },
        "checks": [asdict(check) for check in checks],
    }


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"{lab.__name__}.{name}")


def _lines(experiment: Experiment, compared: Mapping[str, Mapping[str, Compared]], seeds: int) -> list[str]:
    """The table, arm by arm, and the verdict on the figure that decides."""
    lines = [f"\n{experiment.claim}  ({seeds} seeds; baseline: {experiment.baseline}; expected: {experiment.expected})"]
    for figure in experiment.figures:
        what = "ratio to" if figure.compare == "ratio" else "minus"
        lines.append(f"\n{figure.name} ({figure.better} is better)   mean ± sd   {what} {experiment.baseline} [95 %]")
        lines += [_row(arm, own[figure.name], figure, experiment.baseline) for arm, own in compared.items()]
    return lines


def _row(arm: str, own: Compared, figure: Figure, baseline: str) -> str:
    shown = f"  {arm:<24} {figure.show.format(own.mean):>10} ± {figure.show.format(own.spread)}"
    if arm == baseline:
        return f"{shown:<52} baseline"
    form = "{:.3f}" if figure.compare == "ratio" else figure.show.replace("{:", "{:+")
    low, high = (form.format(end) for end in own.interval)
    return f"{shown:<52} {form.format(own.against)} [{low}, {high}]  {own.word(figure)}"


def _figures(outcome: Outcome, experiment: Experiment) -> str:
    return "  ".join(f"{f.name} {f.show.format(outcome.figures[f.name])}" for f in experiment.figures)


def _head(experiment: Experiment, about: str) -> Json:
    return {
        "claim": experiment.claim,
        "about": about,
        "expected": experiment.expected,
        "baseline": experiment.baseline,
        "decides": experiment.figures[0].name,
        "protocol": dict(experiment.protocol),
    }


def _read(path: Path, experiment: Experiment) -> Json:
    """Runs that are there already, of this very protocol."""
    if not path.exists():
        return {}
    found = json.loads(path.read_text())
    same = digest(found["protocol"]) == digest(json.loads(json.dumps(dict(experiment.protocol))))
    arms = {arm.name for arm in experiment.arms}
    return {arm: runs for arm, runs in found["runs"].items() if arm in arms} if same else {}


def _outcome(kept: Json) -> Outcome:
    return Outcome(kept["figures"], kept["curve"], kept["notes"])


def _write(path: Path, what: Json) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(f".{os.getpid()}")
    beside.write_text(json.dumps(what) + "\n")
    beside.replace(path)


def _commit() -> str:
    made = facts()
    return f"{made['commit'] or '?'}{'+' if made['changed'] else ''}"
