"""Find the skills of a scenario that names none, once, and let the session go on as if it had named them.

What was found is in the ledger; the scenario with its skills, and the sizes that these can fill, follow from it
whenever the run is opened. A category too small to be examined goes into the rest, and a rest that is too small into
the largest skill, so that no task is lost.
"""

import random
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from ..memory import files
from ..memory.categories import Category
from ..memory.effects import Outcome
from ..memory.errors import RunError
from ..memory.ledger import Ledger
from ..memory.records import Task
from ..scenarios.discovered import Discovered
from ..scenarios.fitting import fit
from ..scenarios.loader import parse
from ..scenarios.schema import WHOLE, Scenario
from ..scenarios.source import Source
from ..scenarios.splits import Splits
from ..scenarios.supply import supply
from .desk import Desk
from .folder import RESOLVED, resolved, written
from .parts import Parts
from .sorting import REST, Found

OPEN = "open"
"""Setting of a session that lists the sizes its scenario left open, by table."""
LARGEST = 100_000
"""Tasks that are sorted at most: each has to be shown to the teacher."""
TABLES = ("splits", "probe", "rounds")
"""Tables whose sizes may shrink to what a source holds."""

Groups = dict[str, set[str]]
"""Keys by skill."""


def left_open(scenario: Scenario) -> dict[str, list[str]]:
    """Sizes that a scenario as it was written does not set, by table."""
    tables = {name: getattr(scenario, name) for name in TABLES}
    return {n: sorted(set(type(table).model_fields) - table.model_fields_set) for n, table in tables.items()}


def finding(scenario: Scenario, parts: Parts) -> list[str]:
    """What finding skills comes to, for a plan."""
    how = parts.teacher.finds
    if not scenario.discover or how is None:
        return []
    tasks = parts.source.size(WHOLE, scenario.skills[WHOLE].task)
    calls = f"at most {how.calls(tasks):,} requests to the teacher show it the prompts of {tasks:,} tasks"
    return [f"names no skills; they are found when the session begins, {how.most} at most: {calls}"]


def bounding(scenario: Scenario, parts: Parts) -> Scenario:
    """A scenario with as many skills as may be found, to bound what a session costs."""
    how = parts.teacher.finds
    if not scenario.discover or how is None:
        return scenario
    skills = {f"{WHOLE}-{i}": scenario.skills[WHOLE] for i in range(how.most)}
    return scenario.model_copy(update={"skills": skills})


def whole(splits: Splits) -> tuple[Splits, int]:
    """Splits whose exams hold all their tasks, and how many that are at most."""
    scenario, most = splits.scenario, LARGEST
    sizes = scenario.splits.model_copy(update={"select": most, "guard": most, "sealed": most})
    return Splits(scenario.model_copy(update={"splits": sizes}), splits.source, splits.seed, splits.opened), most


async def discover(desk: Desk) -> None:
    """Find the skills, if that is wanted and was not done, and have the desk work with them.

    Raises:
        RunError: the teacher finds none.
    """
    if not desk.scenario.discover:
        return

    async def work() -> Outcome:
        tasks = {t.key: t.prompt for t in _all(desk.scenario, desk.parts.source)}
        probes = sorted(key for key in tasks if desk.splits.part(key) == "probe")
        how = desk.parts.teacher.finds
        assert how is not None
        rng = random.Random(f"{desk.session.seed}/discover")
        sample = rng.sample(probes, min(how.sample, len(probes)))
        found = await desk.parts.teacher.discover(tasks, sample, models=desk.models)
        categories = _merged(found, desk, smallest=how.smallest)
        counts = {c.skill: len(c.keys) for c in categories}
        result = {"skills": counts, "labels": dict(found.labels), "prompts": dict(found.prompts), "asked": len(tasks)}
        return Outcome(result, categories)

    seen = await desk.effects.once("discover", 0, work, inputs={"teacher": desk.parts.teacher.describe()})
    settle(desk)
    desk.say("discover", skills=seen["skills"], asked=seen["asked"])


def settle(desk: Desk) -> None:
    """Have a desk work with the skills that its session has found, if it has."""
    categories = desk.ledger.read(Category) if desk.scenario.discover else []
    if not categories:
        return
    first, groups = desk.scenario, {c.skill: set(c.keys) for c in categories}
    source = sorted_by(desk.parts.source, first, groups)
    desk.scenario = sized(first, source, groups, desk).scenario
    desk.parts = replace(desk.parts, source=source)
    for name in ("splits", "longest", "contamination", "duplicates", "_items"):
        vars(desk).pop(name, None)
    told = resolved(desk.scenario, desk.parts.describe())
    files.write_json(desk.run / RESOLVED, {**told, "written": first.model_dump(mode="json")})


def as_found(source: Source, run: Path) -> Source:
    """The source of a run as its session used it.

    Raises:
        RunError: not a run, or damaged.
    """
    scenario, _ = written(run)
    if not scenario.discover:
        return source
    with closing(Ledger(run / "ledger.sqlite", read_only=True)) as ledger:
        categories = ledger.read(Category)
    return sorted_by(source, scenario, {c.skill: set(c.keys) for c in categories}) if categories else source


def sorted_by(source: Source, scenario: Scenario, groups: Groups) -> Discovered:
    """A source whose tasks are of these skills."""
    labels = {key: skill for skill, keys in groups.items() for key in keys}
    return Discovered(inner=source, labels=labels, settings=scenario.skills[WHOLE].task)


def sized(scenario: Scenario, source: Source, groups: Groups, desk: Desk) -> Splits:
    """The scenario with these skills, its open sizes fitted to them; with the splits it makes."""
    value = scenario.model_dump(mode="json")
    for table, names in desk.session.settings.get(OPEN, {}).items():
        value[table] = {k: v for k, v in value[table].items() if k not in names}
    settings = value["skills"][WHOLE] | {"task": {}}
    first = value["student"]["first"]["skills"]
    if WHOLE in first:
        value["student"]["first"]["skills"] = dict.fromkeys(sorted(groups), first[WHOLE])
    value |= {"discover": False, "skills": dict.fromkeys(sorted(groups), settings)}
    fitted = fit(Splits(parse(value, where=str(desk.run)), source, desk.session.seed)).scenario
    return Splits(fitted, source, desk.session.seed)


def _all(scenario: Scenario, source: Source) -> Sequence[Task]:
    settings = scenario.skills[WHOLE].task
    if (size := source.size(WHOLE, settings)) > LARGEST:
        raise RunError(f"{size:,} tasks are too many to be sorted, {LARGEST:,} at most; name skills in the scenario")
    return source.draw(WHOLE, settings, size, random.Random(0), allowed=lambda _: True)


def _merged(found: Found, desk: Desk, *, smallest: int) -> list[Category]:
    """Categories that are large enough, as records; the others go into the rest, or the largest."""
    groups: Groups = {}
    for key, skill in found.skills.items():
        groups.setdefault(skill, set()).add(key)
    counts = Counter(found.skills.values())
    home = {skill: skill for skill in groups}
    while len(groups) > 1 and (small := _too_small(groups, desk, smallest=smallest)):
        target = REST if small != REST else max(groups, key=lambda s: (len(groups[s]) if s != REST else -1, s))
        groups.setdefault(target, set()).update(groups.pop(small))
        home = {skill: target if at == small else at for skill, at in home.items()} | {target: target}
    words = dict(found.categories)
    return [
        Category(
            skill=skill,
            description=words.get(skill, "what fits no other skill"),
            rest=skill == REST,
            sorted=counts[skill],
            merged=tuple(sorted(s for s, at in home.items() if at == skill and s != skill)),
            keys=tuple(sorted(keys)),
        )
        for skill, keys in sorted(groups.items())
    ]


def _too_small(groups: Groups, desk: Desk, *, smallest: int) -> str | None:
    """The smallest skill that is too small to be one, the rest last of all."""
    order = sorted(groups, key=lambda s: (s == REST, len(groups[s]), s))
    for skill in order:
        if len(groups[skill]) < smallest:
            return skill
    splits = sized(desk.scenario, sorted_by(desk.parts.source, desk.scenario, groups), groups, desk)
    return next((skill for skill in order if supply(splits, skill).short), None)
