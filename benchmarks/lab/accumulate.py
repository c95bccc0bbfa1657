"""Eight generations of students taught by their predecessors: on the last one's answers alone, or on all there is.

Claim: where each generation's data replace those before, errors pile up; where they are added to them, they stay
bounded. Verifying answers stops them altogether.

Paper: Gerstgrasser et al. 2024, arXiv:2404.01413 (replacing grows the error with every generation, accumulating bounds
it); Yuan et al. 2023, arXiv:2308.01825 (training on own answers that were found right).

Protocol: a base student learns two skills from 1,000 right samples. Each of eight later generations starts from the
base again and learns from answers that the one before drew, at temperature 1, to 1,000 new prompts: those alone
(`replace`), or together with all before and the right ones (`accumulate`); `verified` leaves out what is wrong. Every
generation trains on 2,000 samples drawn from its data, so that all arms have the same steps. Expected: replacing loses
with every generation, accumulating little, verified nothing.
"""

from collections.abc import Callable, Sequence
from random import Random

import numpy as np

from ..bench.course import Course, beginner, papers
from ..bench.experiment import Arm, Experiment, Figure, Outcome
from ..bench.pupil import CODES, Pupil, tokens
from ..bench.tasks import Item, draw, right

COURSE = Course(
    skills={"reverse-4": 0.5, "sort-4": 0.5}, first={"copy-4": 1, "reverse-3": 1, "sort-3": 1}, first_samples=6_000
)
GENERATIONS = 8
EACH = 1_000
TRAINED = 2_000
CHARACTER = {code: token for token, code in CODES.items() if len(token) == 1}


def experiment() -> Experiment:
    """Ways to go on with what students wrote, against replacing."""
    arms = {"replace": (False, False), "accumulate": (True, False)}
    arms |= {f"{name}, verified": (keep, True) for name, (keep, _) in arms.items()}
    return Experiment(
        claim="accumulating the data of generations bounds the errors that replacing them piles up",
        expected="replacing loses with every generation, accumulating little, verified nothing",
        arms=[Arm(name, _generations(*how)) for name, how in arms.items()],
        baseline="replace",
        figures=[
            Figure("macro"),
            Figure("loss", better="lower"),
            Figure("lost", better="lower"),
            Figure("wrong", better="lower"),
        ],
        protocol={**COURSE.protocol(), "generations": GENERATIONS, "each": EACH, "trained": TRAINED},
    )


def _generations(accumulate: bool, verified: bool) -> Callable[[int], Outcome]:
    def run(seed: int) -> Outcome:
        exam, rng = papers(COURSE, seed), Random(f"generations {seed}")
        data = _prompts(rng)
        curve: list[list[float]] = []
        for generation in range(GENERATIONS + 1):
            pupil = beginner(COURSE, seed)
            pupil.learn(rng.choices(data, k=TRAINED))
            wrong = sum(not right(item) for item in data) / len(data)
            marks = list(pupil.marks(exam).values())
            loss = float(np.mean([pupil.losses(exam[skill]).mean() for skill in sorted(exam)]))
            curve.append([float(generation), float(np.mean(marks)), loss, wrong])
            written = answered(pupil, _prompts(rng), seed=seed * 100 + generation)
            new = [item for item in written if right(item)] if verified else written
            data = [*data, *new] if accumulate else new or data
        first, last = curve[0], curve[-1]
        return Outcome({"macro": last[1], "loss": last[2], "lost": first[1] - last[1], "wrong": last[3]}, curve)

    return run


def _prompts(rng: Random) -> list[Item]:
    return [item for skill in sorted(COURSE.skills) for item in draw(skill, EACH // len(COURSE.skills), rng)]


def answered(pupil: Pupil, items: Sequence[Item], *, seed: int) -> list[Item]:
    """Give the items with answers that a student draws at temperature 1, as long as the right ones."""
    import torch

    chance = torch.Generator().manual_seed(seed)
    made: dict[int, Item] = {}
    sizes = {(len(item.prompt), len(item.answer)) for item in items}
    for size in sorted(sizes):
        places = [at for at, item in enumerate(items) if (len(item.prompt), len(item.answer)) == size]
        ids = torch.from_numpy(tokens([items[at] for at in places]).ids_ST)
        with torch.no_grad():
            for place in range(size[0] + 2, ids.shape[1] - 1):
                logits = pupil.mean(input_ids=ids[:, :place], use_cache=False).logits[:, -1]
                ids[:, place] = torch.multinomial(logits.softmax(-1), 1, generator=chance)[:, 0]
        for at, row in zip(places, ids[:, size[0] + 2 : -1].tolist(), strict=True):
            made[at] = items[at]._replace(answer="".join(CHARACTER.get(code, " ") for code in row))
    return [made[at] for at in range(len(items))]
