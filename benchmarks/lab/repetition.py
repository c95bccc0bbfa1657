"""The same samples again and again, against fresh ones, and dropout against it.

Claim: repeating few samples is worse than seeing fresh ones, about four passes do no harm yet, and dropout helps where
data repeats, also when it sets in late.

Papers: Xue et al. 2023, arXiv:2305.13230 (repetition, dropout, late dropout); Muennighoff et al. 2023,
arXiv:2305.16264 (four passes).

Protocol: 8,000 samples are trained on in all arms: all distinct, 2,000 four times, or 400 twenty times, mixed anew
for every pass. Dropout is that of `trainer.dropout` (`training/dropping.py`); `attention alone` is what a Llama's own
configuration offers; `late` begins after half of the samples. Expected: 400 samples hurt, dropout takes some of it
back.
"""

from collections.abc import Callable
from random import Random

import numpy as np

from ...training.dropping import drop
from ...training.repetition import foresee
from ..bench.course import Course, beginner, papers
from ..bench.experiment import Arm, Experiment, Figure, Outcome
from ..bench.tasks import draw

COURSE = Course(
    skills=dict.fromkeys(("reverse-4", "reverse-6", "sort-4", "sort-6"), 0.25),
    first={"copy-3": 1, "reverse-3": 1, "sort-3": 1},
    first_samples=6_000,
)
TRAINED = 8_000
FEW, SOME = 400, 2_000


def experiment() -> Experiment:
    """Amounts of distinct samples and shares that are dropped, against 400 samples without dropout."""
    few = "400 x 20"
    arms = {
        few: _trained(FEW),
        "400 x 20, dropout 0.1": _trained(FEW, dropout=0.1),
        "400 x 20, dropout 0.3": _trained(FEW, dropout=0.3),
        "400 x 20, dropout 0.1 late": _trained(FEW, dropout=0.1, late=True),
        "400 x 20, attention alone 0.1": _trained(FEW, attention=0.1),
        "2,000 x 4": _trained(SOME),
        "2,000 x 4, dropout 0.1": _trained(SOME, dropout=0.1),
        "8,000 x 1": _trained(TRAINED),
        "8,000 x 1, dropout 0.1": _trained(TRAINED, dropout=0.1),
    }
    return Experiment(
        claim="where few samples are repeated often, dropout takes back some of what fresh ones would give",
        expected="8,000 and 2,000 samples far above 400; dropout above none on 400, below it on 8,000",
        arms=[Arm(name, run) for name, run in arms.items()],
        baseline=few,
        figures=[Figure("macro"), Figure("loss", better="lower"), Figure("gap", better="lower")],
        protocol={**COURSE.protocol(), "trained": TRAINED, "distinct": [FEW, SOME, TRAINED]},
    )


def _trained(
    distinct: int, *, dropout: float = 0.0, attention: float = 0.0, late: bool = False
) -> Callable[[int], Outcome]:
    def run(seed: int) -> Outcome:
        each = TRAINED // len(COURSE.skills)
        fresh = {s: draw(s, each, Random(f"repetition {seed} {s}"), distinct=True) for s in sorted(COURSE.skills)}
        items = [item for drawn in fresh.values() for item in drawn[: distinct // len(fresh)]]
        pupil, rng = beginner(COURSE, seed), Random(f"order {seed}")
        for layer in pupil.model.model.layers:
            vars(layer.self_attn)["attention_dropout"] = attention
        passes = TRAINED // distinct
        order = [item for _ in range(passes) for item in rng.sample(items, len(items))]
        half = len(order) // 2 if late else 0
        pupil.learn(order[:half])
        drop(pupil.model, dropout)
        pupil.learn(order[half:])
        exam = papers(COURSE, seed)
        marks = pupil.marks(exam)
        loss = float(np.mean([pupil.losses(exam[skill]).mean() for skill in sorted(exam)]))
        gap = loss - float(pupil.losses(items[:2_000]).mean())
        figures = {"macro": float(np.mean(list(marks.values()))), "loss": loss, "gap": gap}
        tokens = sum(len(item.prompt) + len(item.answer) for item in items)
        weights = sum(p.numel() for p in pupil.model.parameters())
        return Outcome(figures, notes={"marks": marks, "alarm": foresee(tokens, weights, passes).alarm})

    return run
