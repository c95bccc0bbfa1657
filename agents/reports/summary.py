"""A session in figures, read from its ledger: what the report shows and what `--json` says at the end."""

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from math import fsum
from typing import Any, Literal

from ...memory import files
from ...memory.auditions import Audition
from ...memory.bootstrap import bootstrap_interval
from ...memory.categories import Category
from ...memory.effects import CLOCK
from ...memory.ledger import Ledger
from ...memory.records import (
    Arm,
    Attempt,
    Exam,
    Fate,
    Prediction,
    Probe,
    Promotion,
    Round,
    Sample,
    Session,
    Share,
    Weakness,
)
from ...memory.retraction import current
from ...memory.reviews import settled, tally
from ...memory.statistics import wilson
from ...scenarios.schema import Scenario
from ...training.curation.pipeline import NEAR
from ..folder import before
from ..lives import Life, lives
from .aftermath import aftermath
from .comparison import against_twin, compare, macro, segment
from .evaluations import evaluations
from .operators import operators

SHOWN = 5
"""Failures and samples shown beside each weakness."""

Json = dict[str, Any]


def summarize(ledger: Ledger, scenario: Scenario, session: Session, *, run: str, directory: str, status: str) -> Json:
    """Everything a report needs, as JSON.

    `dataset_hash` is of the data behind the final student, and null where nothing was promoted; `last_dataset_hash` is
    of the set that was trained on last, whatever became of it.
    """
    exams, rounds = ledger.read(Exam), ledger.read(Round)
    promotions = ledger.read(Promotion)
    promoted = [p.round for p in promotions if p.promoted]
    learnable = [n for n in scenario.targets if scenario.skills[n].learnable is not False] or scenario.targets
    trained = [r for r in rounds if r.arm == "targeted"]
    now = current(ledger)
    final = next((r for r in rounds if now and r.path == now.path), None)
    sealed = _sealed(ledger, exams)
    first, last = _ends(exams, now.digest if now else None, "select")
    return {
        "run": run,
        "dir": directory,
        "status": status,
        "limited": session.limit,
        "seed": session.seed,
        "scenario": scenario.name,
        "description": scenario.description.strip(),
        "command": command(session),
        "learnable": learnable,
        "unlearnable": [n for n in scenario.targets if n not in learnable],
        "rounds": len(trained),
        "curated": max((f.round for f in ledger.read(Fate)), default=0),
        "promoted": promoted,
        "select": None if session.only_probes else change(first, last, learnable, scenario.targets),
        "report": change(sealed.get("base"), sealed.get("final"), learnable, sorted(scenario.skills)),
        "guards": _guards(sealed, scenario),
        **evaluations(ledger, now.digest if now else None),
        "samples": _samples(ledger, "targeted"),
        **tally(ledger),
        "dataset_hash": final.dataset if final else None,
        "last_dataset_hash": trained[-1].dataset if trained else None,
        "control": _control(ledger, sealed, rounds, learnable),
        "decisions": [p.model_dump(mode="json") for p in promotions],
        "curve": _curve(exams, promotions, learnable),
        "heat": _heat(ledger, scenario),
        "weaknesses": _weaknesses(ledger),
        "predictions": _predictions(ledger),
        "judges": [a.model_dump(mode="json") for a in ledger.read(Audition)],
        "found": found_skills(ledger),
        "cost": _cost(ledger, exams, rounds),
        **operators(ledger),
        **aftermath(ledger),
        **_time(ledger),
        **({"from": _inherited(ledger, session)} if before(session) else {}),
        **({"probe": {**session.settings["probe"], "next": command(session, "run")}} if session.only_probes else {}),
    }


def found_skills(ledger: Ledger) -> list[Json]:
    """Skills that the teacher found, and how many tasks each has; none where the scenario names them."""
    return [{**c.model_dump(mode="json", exclude={"keys"}), "tasks": len(c.keys)} for c in ledger.read(Category)]


def command(session: Session, verb: Literal["run", "probe"] | None = None, *, file: str | None = None) -> str:
    """The command that runs this session again, or one like it.

    Args:
        session: what was run.
        verb: what to do instead.
        file: copy of the scenario that goes along to other machines, where a run has a name but no folder.
    """
    verb = verb or ("probe" if session.only_probes else "run")
    words = ["evolvent", verb, file or str(session.settings["file"]), "--seed", str(session.seed)]
    words += ["--limit", str(session.limit)] if session.limit else []
    if earlier := before(session):
        words += ["--from", str(earlier["run"] if file else earlier["dir"])]
    return shlex.join([*words, *(f"--set={override}" for override in session.settings["overrides"])])


def _sealed(ledger: Ledger, exams: Sequence[Exam]) -> dict[str, Exam]:
    """Exams of the recorded opening, by name."""
    by_id = {e.id: e for e in exams}
    opened = ledger.result("report opening", 0) or {}
    return {name: by_id[entry["exam"]] for name, entry in opened.items()}


def _ends(exams: Sequence[Exam], student: str | None, split: str) -> tuple[Exam | None, Exam | None]:
    """Exams of the first student and of the one that stands, the first where none was promoted."""
    own = [e for e in exams if e.split == split]
    if not own:
        return None, None
    return own[0], next(e for e in own if e.student == (student or own[0].student))


def _share(passed: int, tried: int) -> Json:
    low, high = wilson(passed, tried)
    return {"rate": passed / tried if tried else None, "low": low, "high": high, "passed": passed, "tried": tried}


def _scored(exam: Exam, skills: Sequence[str]) -> Json:
    """Score over the items of some skills: a mean with its bootstrap interval where it is graded, else a pass rate."""
    share = _share(sum(exam.scores[s].passed for s in skills), sum(exam.scores[s].tried for s in skills))
    if all(exam.scores[s].total is None for s in skills):
        return share
    marks = segment(exam, skills)
    low, high = bootstrap_interval(marks)
    return {**share, "rate": fsum(marks) / len(marks), "low": low, "high": high, "graded": True}


def change(before: Exam | None, after: Exam | None, learnable: Sequence[str], skills: Sequence[str]) -> Json | None:
    """Macro score over the learnable skills and every skill's rate, before and after."""
    if before is None or after is None:
        return None
    shown = [s for s in skills if s in before.scores]
    each = {
        s: {
            "before": _scored(before, [s]),
            "after": _scored(after, [s]),
            "change": after.scores[s].rate - before.scores[s].rate,
        }
        for s in shown
    }
    # skills have equally many items, so pooled is macro
    changed = compare(before, after, [s for s in learnable if s in shown])
    low, high = changed.interval()
    return {
        "before": macro(before, learnable),
        "after": macro(after, learnable),
        "change": macro(after, learnable) - macro(before, learnable),
        "low": low,
        "high": high,
        "test": changed.test,
        "skills": each,
    }


def _guards(sealed: Mapping[str, Exam], scenario: Scenario) -> Json:
    """What the sealed report says of every guard: change, interval, and whether it is significantly worse."""
    if "final" not in sealed:
        return {}
    found: Json = {}
    for skill in scenario.guards:
        changed = compare(sealed["base"], sealed["final"], [skill])
        low, high = changed.interval()
        found[skill] = {
            "before": sealed["base"].scores[skill].rate,
            "after": sealed["final"].scores[skill].rate,
            "change": changed.gain,
            "low": low,
            "high": high,
            "test": changed.test,
            "worse": changed.swapped().p_value(alpha=scenario.gate.alpha) < scenario.gate.alpha,
        }
    return found


def _inherited(ledger: Ledger, session: Session) -> Json:
    """The run it went on from, and how many of its samples passed the rules here."""
    taken = ledger.result("inherit", 0) or {"kept": 0, "rejected": {}, "memories": 0}
    return {**before(session), **taken}


def _samples(ledger: Ledger, arm: Arm) -> Json:
    """What became of everything written or drawn for one arm; not of what an earlier run left."""
    own = {sample.id for sample in ledger.read(Sample, subject=arm)}
    fates = [fate for fate in settled(ledger) if fate.sample in own and (fate.round or arm == "control")]
    why = Counter(f.reason.split(":")[0] for f in fates if not f.kept)
    kept = [f.reason for f in fates if f.kept]
    rejected = dict(sorted(why.items()))
    return {"written": len(fates), "kept": len(kept), "near_exams": kept.count(NEAR), "rejected": rejected}


def _control(
    ledger: Ledger, sealed: Mapping[str, Exam], rounds: Sequence[Round], learnable: Sequence[str]
) -> Json | None:
    """How the targeted arm does against its twin, and what the twin was trained on."""
    twin = next((r for r in rounds if r.arm == "control"), None)
    if twin is None or "control" not in sealed:
        return None
    found = against_twin(sealed, rounds, twin, learnable, probes=ledger.count(Attempt))
    return {**found, "data": _samples(ledger, "control")}


def _curve(exams: Sequence[Exam], promotions: Sequence[Promotion], learnable: Sequence[str]) -> list[Json]:
    promoted = {p.candidate for p in promotions if p.promoted}
    points: list[Json] = []
    for exam in (e for e in exams if e.split == "select" and e.arm == "targeted"):
        points.append(
            {
                "round": exam.round,
                "promoted": exam.round == 0 or exam.student in promoted,
                **_scored(exam, learnable),
                "skills": {s: _scored(exam, [s]) for s in sorted(exam.scores)},
            }
        )
    return points


def _heat(ledger: Ledger, scenario: Scenario) -> Json:
    """Probed pass rate and samples given, by skill and round."""
    probes, shares = ledger.read(Probe), ledger.read(Share)
    rounds = sorted({p.round for p in probes})
    by_place = {(p.skill, p.round): p for p in probes}
    given: Counter[tuple[str, int]] = Counter()
    for share in shares:
        given[share.skill, share.round] += share.samples
    return {
        "rounds": rounds,
        "skills": {
            skill: [
                {
                    **(_share(p.passed, p.tried) if (p := by_place.get((skill, r))) else {"rate": None}),
                    "verdict": p.verdict if p else None,
                    "chance": p.chance if p else None,
                    "samples": given[skill, r],
                }
                for r in rounds
            ]
            for skill in sorted(scenario.skills)
        },
    }


def _weaknesses(ledger: Ledger) -> list[Json]:
    attempts = {a.id: a for a in ledger.read(Attempt)}
    samples: dict[str, list[Sample]] = {}
    kept = {f.sample for f in settled(ledger) if f.kept}
    for sample in ledger.read(Sample, subject="targeted"):
        if sample.weakness and sample.id in kept:
            samples.setdefault(sample.weakness, []).append(sample)
    foreseen = {p.weakness: p for p in ledger.read(Prediction)}
    return [
        _weakness(life, attempts, samples.get(life.weakness.id, []), foreseen.get(life.weakness.id))
        for life in lives(ledger)
    ]


def _weakness(life: Life, attempts: Mapping[str, Attempt], samples: Sequence[Sample], seen: Prediction | None) -> Json:
    weakness: Weakness = life.weakness
    failures = [attempts[f] for f in weakness.failures if f in attempts]
    return {
        "id": weakness.id,
        "skill": weakness.skill,
        "hypothesis": weakness.hypothesis,
        "rule": list(weakness.rule),
        "round": weakness.round,
        "p_value": weakness.p_value,
        "state": life.state,
        "foreseen": seen.foreseen if seen else None,
        "seen": _share(seen.passed, seen.tried) if seen else None,
        "life": [
            {
                "round": o.round,
                "state": o.state,
                "reason": o.reason,
                "recalled": list(o.recalled),
                **_share(o.passed, o.tried),
            }
            for o in life.observations
        ],
        "samples": len(samples),
        "failures_shown": [
            {"prompt": a.task.prompt, "answer": a.answer, "expected": a.task.answer} for a in failures[:SHOWN]
        ],
        "samples_shown": [{"prompt": s.task.prompt, "completion": s.completion} for s in samples[:SHOWN]],
    }


def _predictions(ledger: Ledger) -> Json:
    """How well hypotheses foresaw the pass rate on fresh probes: mean absolute error."""
    tested = [p for p in ledger.read(Prediction) if p.tried]
    errors = [abs(p.foreseen - p.passed / p.tried) for p in tested]
    kept = {w.id for w in ledger.read(Weakness)}
    return {
        "tested": len(tested),
        "kept": sum(p.weakness in kept for p in tested),
        "error": sum(errors) / len(errors) if errors else None,
    }


def _cost(ledger: Ledger, exams: Sequence[Exam], rounds: Sequence[Round]) -> Json:
    targeted = [r for r in rounds if r.arm == "targeted"]
    return {
        "probe_answers": ledger.count(Attempt),
        "exam_answers": sum(len(e.passed) for e in exams),
        "samples_written": ledger.count(Sample, subject="targeted") - ledger.count(Sample, round=0, subject="targeted"),
        "control_samples_drawn": ledger.count(Sample, subject="control"),
        "training_steps": sum(r.steps for r in targeted),
        "training_tokens": sum(r.tokens for r in targeted),
        "control_steps": sum(r.steps for r in rounds if r.arm == "control"),
    }


def _time(ledger: Ledger) -> Json:
    """Wall seconds of every process that worked on the session, and what they were spent on."""
    clocks = [Counter(files.read_json(text)) for text in ledger.metas(CLOCK).values()]
    seconds: Counter[str] = sum(clocks, Counter())
    total = sum(seconds.values())
    return {
        "wall_seconds": total,
        "shares": {work: seconds[work] / total if total else 0.0 for work in seconds},
        "processes": len(clocks),
    }
