"""Does every trainer teach: one real round each, on a task small enough for a core and a few seconds.

The task is to name the digit after a number's last. A student is brought halfway by a first training that stops early;
then each trainer goes on from it with the same samples, and a paired exam on numbers nobody trained on says what came
of it. Trained longer, the same student is the teacher of `distill`.
"""

import argparse
import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from ..memory.inference import Request
from ..memory.parts import PartSpec, load
from ..memory.records import Task
from ..memory.statistics import Interval
from ..scenarios.schema import Student
from ..scenarios.verifiers.exact import Exact
from ..training import student
from ..training.engines.transformers import Transformers
from ..training.pairing import Paired, pair
from ..training.trainer import MODEL, Trainer, write_rows
from ..training.trainers.sft import Sft
from ..training.tries import try_out, write_tries
from .machine import Check, keep

PACKAGE = Sft.__module__.rpartition(".")[0]
TRAINED, EXAMINED = 300, 300
"""Tasks of a round and of the exam."""
HALFWAY = 0.3
"""Share of its samples that a student solves before a round begins, at least."""
PATIENCE = range(10, 60, 4)
"""Optimiser steps that bring a student halfway; the first that suffices is taken."""
LONGEST = 8
"""Tokens an answer may have."""
MASTERY = 150
"""Optimiser steps that make a teacher of it."""
LORA = {"lora": {"rank": 8}, "learning_rate": 5e-3}
ROUNDS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "sft": ("sft", {}),
    "dpo": ("dpo", {}),
    "kto": ("kto", {}),
    "grpo": ("grpo", {}),
    "distill": ("distill", {}),
    "sft, LoRA": ("sft", LORA),
    "dpo, LoRA": ("dpo", LORA),
    "kto, LoRA": ("kto", LORA),
    "grpo, LoRA": ("grpo", LORA),
    "distill, LoRA": ("distill", LORA),
}
"""What is compared: a trainer and its settings; everything else is its default."""


class Lesson(NamedTuple):
    """A student halfway, what it is taught and what it is examined on."""

    start: Path
    teacher: Path
    """The same student, trained longer."""
    taught: list[Task]
    exam: list[Task]


class Result(NamedTuple):
    """What a round came to."""

    before: float
    """Share of the exam passed."""
    after: float
    paired: Paired
    interval: Interval
    """95 % of the change."""
    steps: int
    seconds: float
    """Of training, loading and set-up included."""


def main(arguments: Sequence[str] | None = None) -> list[Check]:
    """Teach with every trainer on every seed, and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    seeds: list[int] = parser.parse_args(arguments).seeds
    since = time.perf_counter()
    found: dict[str, list[Result]] = {name: [] for name in ROUNDS}
    with TemporaryDirectory() as folder:
        for seed in seeds:
            lesson = prepare(Path(folder) / str(seed), seed=seed)
            for name, (trainer, settings) in ROUNDS.items():
                found[name].append(teach(trainer, settings, lesson, Path(folder) / f"{seed}-{name}", seed=seed))
                print(_line(name, seed, found[name][-1]), flush=True)
    checks = [_check(name, results) for name, results in found.items()]
    figures = {name: [r._asdict() for r in results] for name, results in found.items()}
    keep("trainers", {"seeds": seeds, "rounds": figures}, checks, seconds=time.perf_counter() - since)
    print("\n".join(check.line() for check in checks))
    return checks


def prepare(folder: Path, *, seed: int) -> Lesson:
    """Build a student and bring it halfway."""
    tasks = [Task(skill="next", prompt=str(n), answer=str((n + 1) % 10), key=str(n)) for n in range(100, 1000)]
    Random(seed).shuffle(tasks)
    taught, exam = tasks[:TRAINED], tasks[TRAINED : TRAINED + EXAMINED]
    student.build(Student(hidden=64, heads=2, layers=1), folder / "untrained", seed=seed)
    write_rows(folder, _rows(taught))
    Sft(batch=50).train(folder, start=folder / "untrained", seed=seed, steps=MASTERY)
    teacher = (folder / MODEL).rename(folder / "teacher")
    for steps in PATIENCE:
        Sft(batch=50).train(folder, start=folder / "untrained", seed=seed, steps=steps)
        if sum(_examine(folder / MODEL, taught)) >= HALFWAY * TRAINED:
            return Lesson(folder / MODEL, teacher, taught, exam)
    raise RuntimeError(f"{folder}: {PATIENCE[-1]} steps did not bring the student of seed {seed} halfway")


def teach(name: str, settings: Mapping[str, Any], lesson: Lesson, folder: Path, *, seed: int) -> Result:
    """Train one round and examine the student before and after.

    Args:
        name: of the trainer.
        settings: of the trainer, besides its defaults.
        lesson: from where, on what.
        folder: working folder of the round.
        seed: of the training.
    """
    given = {"teacher": lesson.teacher} if name == "distill" else {}
    spec = PartSpec(name=name, settings={**given, **settings})
    trainer = load(spec, base=Trainer, package=PACKAGE, where="benchmark")
    write_rows(folder, _rows(lesson.taught), tasks=lesson.taught)
    if trainer.draws:
        engine, asked = Transformers().open(lesson.start), [(t.id, t, t.answer) for t in lesson.taught]
        write_tries(folder, asyncio.run(try_out(engine, asked, Exact(), longest=LONGEST)))
    since = time.perf_counter()
    done = trainer.train(folder, start=lesson.start, seed=seed, verifier=Exact())
    seconds = time.perf_counter() - since
    before, after = _examine(lesson.start, lesson.exam), _examine(folder / MODEL, lesson.exam)
    paired = pair(before, after)
    shares = sum(before) / len(before), sum(after) / len(after)
    return Result(*shares, paired, paired.interval(), done.steps, round(seconds, 2))


def _rows(tasks: Sequence[Task]) -> list[tuple[str, str, str]]:
    return [(task.id, task.prompt, task.answer) for task in tasks]


def _examine(model: Path, tasks: Sequence[Task]) -> list[float]:
    engine = Transformers().open(model)
    answers = asyncio.run(engine.answer([Request(task.prompt, LONGEST) for task in tasks]))
    return [Exact().judge(task, said.text).score for task, said in zip(tasks, answers, strict=True)]


def _line(name: str, seed: int, r: Result) -> str:
    change = f"{100 * r.paired.gain:+.1f} points [{100 * r.interval.low:+.1f}, {100 * r.interval.high:+.1f}]"
    return f"{name:<12} seed {seed}  {r.before:>6.1%} -> {r.after:>6.1%}  {change}  {r.steps} steps, {r.seconds:.1f} s"


def _check(name: str, results: Sequence[Result]) -> Check:
    taught = sum(r.interval.low > 0 for r in results)
    worst = min(r.interval.low for r in results)
    claim = f"{name}: seeds on which the exam's change is above 0"
    measured = f"{taught} of {len(results)}, lowest bound {100 * worst:+.1f} points"
    return Check(claim, measured, f"{len(results)} of {len(results)}", taught == len(results))


if __name__ == "__main__":
    main()
