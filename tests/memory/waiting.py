"""A run whose first round waits for a person."""

import json
from collections.abc import Sequence
from pathlib import Path

from evolvent.memory.debates import Debate, Turn
from evolvent.memory.records import Critique, Fate, Record, Sample

from .runs import make_attempt, make_run, make_sample, make_weakness

RUN = "then_mini_0001"


def make_debate(sample: Sample, *verdicts: str) -> Debate:
    turns = tuple(Turn(turn=1, judge=f"judge {i}", verdict=said, reason="") for i, said in enumerate(verdicts))
    return Debate(sample=sample.id, round=1, turns=turns)


def make_records(samples: Sequence[Sample], *more: Record) -> list[Record]:
    accepted = [Critique(sample=s.id, round=1, judge="exact", accepted=True, reason="both ways agree") for s in samples]
    fates = [Fate(sample=s.id, round=1, kept=True, reason="kept") for s in samples]
    return [*samples, *accepted, *fates, *more]


def make_waiting(folder: Path, *texts: str, more: Sequence[Record] = ()) -> tuple[Path, list[Sample]]:
    """The run and its samples, each against one weakness."""
    failure = make_attempt()
    weakness = make_weakness(failure)
    samples = [make_sample(text, weakness=weakness) for text in texts or ("1+1", "2+2", "3+3")]
    run = make_run(folder, [failure, weakness, *make_records(samples, *more)], status="waiting")
    path = run / "scenario.resolved.json"
    stored = json.loads(path.read_text())
    stored["scenario"]["review"] = True
    path.write_text(json.dumps(stored))
    return run, samples
