"""The control arm: a twin with as many samples and steps as the student had, drawn evenly over all skills.

Its data are held to the rules of the targeted ones and recorded with their fates, so that the twin can be explained
like any student. They are filed under round 0: they belong to no round, and no step of one reads them.
"""

from collections import Counter
from collections.abc import Sequence

from ..memory.effects import Outcome
from ..memory.records import Fate, Round, Sample
from ..memory.trace import spent
from .curating import sift
from .desk import BASE, Desk, hash_samples
from .rounds import steps_behind, train_round

DRAWS = 3
"""Times data are drawn at most before what the rules turned down stays missing."""


async def train_twin(desk: Desk, model: Round, trained: Sequence[Round]) -> str:
    """Draw the twin's data, train it, and give its folder, relative to the run.

    Args:
        desk: where.
        model: the targeted round it is a twin of.
        trained: all targeted rounds.
    """
    inputs = {"samples": model.samples, "curation": desk.scenario.curation.model_dump(mode="json")}

    async def work() -> Outcome:
        with spent("curation"):
            drawn, fates = draw_evenly(model.samples, desk)
        kept = {fate.sample for fate in fates if fate.kept}
        why = Counter(fate.reason.split(":")[0] for fate in fates if not fate.kept)
        digest = hash_samples([sample for sample in drawn if sample.id in kept])
        return Outcome({"kept": len(kept), "rejected": dict(why), "hash": digest}, [*drawn, *fates])

    await desk.effects.once("control data", 0, work, inputs=inputs)
    samples = desk.kept(arm="control")
    history = {"candidates": desk.ledger.read(Sample, subject="control"), "fates": desk.ledger.read(Fate, round=0)}
    steps = steps_behind(model, trained)
    made = await train_round(
        desk, model.number, samples, arm="control", start=BASE, steps=steps, history={**history, "critiques": []}
    )
    desk.say("control", **{k: made[k] for k in ("samples", "steps", "loss", "seconds")})
    return made["path"]


def draw_evenly(count: int, desk: Desk) -> tuple[list[Sample], list[Fate]]:
    """Draw samples evenly over the skills, and again for those that the rules turned down.

    Returns:
        every sample drawn, and the fate of each; `count` of them are kept, fewer where a skill has no more tasks.
    """
    skills, duplicates = sorted(desk.scenario.skills), desk.no_duplicates()
    each, extra = divmod(count, len(skills))
    missing = {skill: each + (i < extra) for i, skill in enumerate(skills)}
    drawn: list[Sample] = []
    fates: list[Fate] = []
    for _ in range(DRAWS):
        seen = {sample.task.key for sample in drawn}
        fresh = [
            Sample(task=task, arm="control", round=0, weakness=None, teacher="control", recipe="drawn evenly")
            for skill, wanted in missing.items()
            for task in desk.splits.draw(skill, "train", wanted, stream="control", beside=seen)
        ]
        done = sift(fresh, round=0, desk=desk, duplicates=duplicates)
        drawn, fates = [*drawn, *fresh], [*fates, *done.fates]
        missing = dict(Counter(missing) - Counter(sample.task.skill for sample in done.kept))
        if not missing:
            break
    return drawn, fates
