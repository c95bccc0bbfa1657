"""Builders: a desk at which nodes run without a model."""

from pathlib import Path
from typing import Any

from evolvent.agents import graph
from evolvent.agents.desk import Desk
from evolvent.agents.parts import Parts
from evolvent.agents.reports.watcher import Nobody
from evolvent.memory.records import Attempt, Session, Task, Verdict
from evolvent.scenarios.loader import parse
from evolvent.scenarios.schema import Scenario

SMALL: dict[str, Any] = {
    "name": "small",
    "source": "arithmetic",
    "student": {"engine": {"name": "scripted", "fails": r"\*"}},
    "skills": {
        "add": {"guard": True, "task": {"operation": "add"}},
        "subtract": {"task": {"operation": "subtract"}},
        "multiply": {"task": {"operation": "multiply"}},
    },
    "probe": {"least": 16, "batch": 16, "most": 32, "aimed": 16, "failures": 4},
    "splits": {"select": 20, "guard": 20, "sealed": 20},
    "rounds": {"samples": 60},
}


def make_scenario(**changes: Any) -> Scenario:
    return parse({**SMALL, **changes}, where="small.toml")


def make_desk(folder: Path, **changes: Any) -> Desk:
    scenario = make_scenario(**changes)
    session = Session(
        name="small", scenario=scenario.hash, seed=0, limit=None, graph=graph.fingerprint(), settings={"source": ""}
    )
    parts = Parts.resolve(scenario, "small.toml")
    return Desk.create(folder, scenario, parts, session, toml="", stamp="now", watcher=Nobody())


def make_attempt(*, passed: bool, features: tuple[str, ...] = (), skill: str = "add", number: int = 0) -> Attempt:
    task = Task(skill=skill, prompt=f"{number}+1", answer="2", key=f"{skill}:{number}", features=features)
    verdict = Verdict(score=float(passed))
    return Attempt(task=task, student="s", round=1, purpose="probe", answer="2" if passed else "?", verdict=verdict)
