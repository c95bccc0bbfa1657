"""Asking a model about quality, thinning out what is common, dropping what means the same, or a fair draw.

Claim: on a pool with duplicates, junk and imbalance, Density fixes the imbalance and Ask-LLM the junk, neither fixes
both, and SemDeDup neither; quality first and density then fixes both.

Papers: Sachdeva et al. 2024, arXiv:2402.09668 (Ask-LLM, Density); Abbas et al. 2023, arXiv:2303.09540 (SemDeDup).

Protocol: a pool of 8,000 samples, of which 2,000 are chosen and gone over four times. Four skills, the commonest ten
times as common as the rarest; a quarter of the pool are copies of a few samples; three in ten are junk, half of it
babble of any length, half of it right but for one character. What says yes or no is no large language model but a
student of the experiment's own size that was trained to tell right from wrong on labelled samples of the same skills,
none of them in the pool or the exam: more knowledge of the task than Ask-LLM asks for, and less of the world. Vectors
are what the beginner holds after its first layer, averaged over a sample; of the places in it that a pilot looked at,
skills are best told apart there. Expected: `density` highest in evenness, `ask` lowest in junk, each
better than the draw, `ask, then density` best.
"""

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray

from ...memory.embedder import Vectors
from ...training.curation.pool import Context, Pool
from ...training.curation.scorers.ask import Ask
from ...training.curation.scorers.density import Density
from ...training.curation.selectors.inverse_propensity import InversePropensity
from ...training.curation.selectors.random import Random as Drawn
from ...training.curation.selectors.semantic import Semantic
from ...training.curation.selectors.top import Top
from ...training.engines.transformers import Transformers
from ...training.tokenizer import PAD
from ..bench.experiment import Arm, Experiment, Figure, Outcome
from ..bench.pools import pool as as_pool
from ..bench.pupil import CODES, Pupil, State, tokens
from ..bench.tasks import Item, draw, mixture, right, spoiled

SHARES = {"copy-6": 0.6, "reverse-5": 0.22, "sort-5": 0.12, "sort-7": 0.06}
FIRST = {"copy-3": 1, "reverse-3": 1, "sort-3": 1}
FIRST_SAMPLES = 8_000
POOL, BUDGET, EPOCHS = 8_000, 2_000, 4
COPIES, COPIED = 0.25, 40
"""Share of the pool that copies, and how many samples it copies."""
JUNK = 0.3
LESSONS = 16_000
"""Labelled samples from which the model that is asked learned to tell right from wrong."""
EXAM = 150
LONGEST = 9
"""Characters of babble at most."""
YES, NO = "y", "n"
BASELINE = "fair draw"
Chosen = NDArray[np.int64]
Choose = Callable[[Pool, int], Chosen]


def experiment() -> Experiment:
    """Five ways to choose from one pool."""
    ways: dict[str, Choose] = {
        BASELINE: lambda pool, seed: Drawn().select(pool, np.zeros(len(pool)), BUDGET, seed=seed),
        "ask": lambda pool, seed: Top().select(pool, _asked(pool, seed), BUDGET, seed=seed),
        "density": _by_density,
        "semdedup": lambda pool, seed: Semantic(epsilon=0.0).select(pool, np.zeros(len(pool)), BUDGET, seed=seed),
        "ask, then density": _both,
    }
    return Experiment(
        claim="asking about quality fixes junk, density fixes imbalance, and neither fixes both",
        expected="both better than the draw, density the most even, ask the least junk, the two together best",
        arms=[Arm(name, partial(_run, way)) for name, way in ways.items()],
        baseline=BASELINE,
        figures=[
            Figure("macro"),
            Figure("worst"),
            Figure("junk", better="lower"),
            Figure("copies", better="lower"),
            Figure("even"),
        ],
        protocol={
            "shares": SHARES, "first": FIRST, "first_samples": FIRST_SAMPLES, "pool": POOL, "budget": BUDGET,
            "epochs": EPOCHS, "copies": COPIES, "copied": COPIED, "junk": JUNK, "lessons": LESSONS, "exam": EXAM,
        },
    )  # fmt: skip


def _run(choose: Choose, seed: int) -> Outcome:
    items = _samples(seed)
    pool = as_pool(items, partial(_embed, seed))
    chosen = [items[i] for i in choose(pool, seed)]
    pupil = Pupil(seed).restore(_beginner(seed))
    pupil.study(chosen, epochs=EPOCHS, rng=Random(f"study {seed}"))
    marks = pupil.marks({s: draw(s, EXAM, Random(f"exam {seed} {s}"), of="exam") for s in SHARES})
    good = [item for item in chosen if right(item)]
    shares = np.array([sum(item.skill == skill for item in good) for skill in SHARES]) / max(1, len(good))
    figures = {
        "macro": sum(marks.values()) / len(marks),
        "worst": min(marks.values()),
        "junk": 1 - len(good) / len(chosen),
        "copies": 1 - len(set(chosen)) / len(chosen),
        "even": float(np.exp(-sum(s * np.log(s) for s in shares if s > 0))),
    }
    notes = {"marks": dict(marks), "told": _told(items, seed), "chosen": len(chosen)}
    return Outcome(figures, notes=notes)


def _by_density(pool: Pool, seed: int) -> Chosen:
    rare_S = asyncio.run(Density().score(pool, Context(seed=seed)))
    return InversePropensity().select(pool, rare_S, BUDGET, seed=seed)


def _both(pool: Pool, seed: int) -> Chosen:
    """What is more likely right than not, thinned out."""
    good = np.flatnonzero(_asked(pool, seed) > 0.5)
    return good[_by_density(pool.take(good), seed)]


def _samples(seed: int) -> list[Item]:
    rng = Random(f"pool {seed}")
    fresh = mixture(SHARES, POOL - int(COPIES * POOL), rng)
    copied = mixture(SHARES, COPIED, rng)
    items = [*fresh, *rng.choices(copied, k=POOL - len(fresh))]
    rng.shuffle(items)
    return [_junk(item, rng) if rng.random() < JUNK else item for item in items]


def _junk(item: Item, rng: Random) -> Item:
    if rng.random() < 0.5:
        return spoiled(item, rng)
    return item._replace(answer="".join(rng.choices("0123456789", k=rng.randint(1, LONGEST))))


@lru_cache(maxsize=2)
def _beginner(seed: int) -> State:
    pupil = Pupil(seed)
    pupil.learn(mixture(FIRST, FIRST_SAMPLES, Random(f"first {seed}")))
    return pupil.state()


def _embed(seed: int, texts: Sequence[str]) -> Vectors:
    """Mean of what the beginner holds of question and answer after its first layer."""
    import torch

    items = [Item("", *text.split("\n")) for text in texts]
    reader = Pupil(seed).restore(_beginner(seed)).mean
    ids_ST = torch.from_numpy(tokens(items).ids_ST)
    seen_ST1 = (ids_ST != CODES[PAD])[..., None]
    with torch.inference_mode():
        hidden_STD = reader.model(input_ids=ids_ST, use_cache=False, output_hidden_states=True).hidden_states[1]
    mean_SD = ((hidden_STD * seen_ST1).sum(1) / seen_ST1.sum(1)).numpy()
    return mean_SD / np.linalg.norm(mean_SD, axis=1, keepdims=True)


def _asked(pool: Pool, seed: int) -> NDArray[np.float64]:
    """What the model that learned to tell right from wrong says."""
    part = Ask(prompt="{{ question }}|{{ answer }}", yes=(YES,), no=(NO,))
    with tempfile.TemporaryDirectory() as folder:
        model = Transformers(device="cpu", model=str(_judge(seed).save(Path(folder)))).serve("scorer")
        scores_S = asyncio.run(part.score(pool, Context(seed=seed, scorer=model)))
        model.close()
    return scores_S


@lru_cache(maxsize=1)
def _judge(seed: int) -> Pupil:
    rng = Random(f"judge {seed}")
    lessons = [(item, rng.random() < 0.5) for item in mixture(dict.fromkeys(SHARES, 1), LESSONS, rng, of="probe")]
    pupil = Pupil(seed + 1000)
    pupil.learn([_lesson(item if good else _junk(item, rng)) for item, good in lessons])
    return pupil


def _lesson(item: Item) -> Item:
    return Item("judging", f"{item.prompt}|{item.answer}", YES if right(item) else NO)


def _told(items: Sequence[Item], seed: int) -> float:
    """Chance that a right sample gets more than junk (area under the curve)."""
    scores_S = _asked(as_pool(items), seed)
    good = np.array([right(item) for item in items])
    ranks = np.argsort(np.argsort(scores_S)) + 1
    return float((ranks[good].sum() - good.sum() * (good.sum() + 1) / 2) / (good.sum() * (~good).sum()))
