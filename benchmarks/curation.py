"""Curation against what others offer, and what it costs by the size of the pool.

Contests: near duplicates against rensa and datasketch, k-center against a loop over scikit-learn's distances, facility
location against apricot. Each rival runs in an environment of its own and takes turns with us in one run; CPU time,
with one thread. `--table` has every selector, and every scorer that looks at vectors.
"""

import argparse
import asyncio
import json
import math
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, TypeVar

import numpy as np

from ..memory.embedder import Vectors
from ..memory.parts import PartSpec, known, load
from ..training.curation.alike import Directions, Texts
from ..training.curation.grams import shingles
from ..training.curation.pool import Context, Pool, Row
from ..training.curation.scorer import Scorer
from ..training.curation.selector import Selector
from .machine import Check, keep, median_and_range
from .rivalry import do, install, installed, python

RIVALS = ("rensa==0.5.0", "datasketch", "apricot-select", "scikit-learn", "setuptools")
PACKAGES = ("rensa", "datasketch", "apricot-select", "scikit-learn")
SCRIPT = Path(__file__).parent / "curation_rivals.py"
NEAR = 0.85
"""Similarity of near duplicates, a scenario's default."""
LEVEL = 0.01
"""Recall by which a rival may fall short and still count as equal."""
STREAMS = [("rensa", tokens, bands) for tokens, bands in (("words", 32), ("words", 64), ("characters", 16))]
SIZES = (1_000, 10_000, 100_000)
DIMENSIONS = 384
BUDGET = 500
"""Samples chosen by methods whose work is samples times budget; the others choose a tenth."""
SLOPE = 1.15
"""Largest exponent of the cost in the number of samples."""
PER_CHOICE = ("k_center", "dpp", "herding")
MODULES = "evolvent.training.curation"
Json = dict[str, Any]
T = TypeVar("T")


class Corpus(NamedTuple):
    """Texts, and which of them are copies as similar to an earlier one as `NEAR`."""

    texts: list[str]
    copies: set[int]


def corpus(count: int, *, seed: int = 0) -> Corpus:
    """Texts of 20 to 39 words; a fifth are copies of one of the others with up to two words changed."""
    rng = Random(seed)
    vocabulary = ["".join(rng.choices("etaoinshrdlucmfwypvbgk", k=rng.randint(2, 9))) for _ in range(20_000)]
    texts: list[str] = []
    # copies of copies would be like something that is not kept
    first: list[str] = []
    copies: set[int] = set()
    for i in range(count):
        if not texts or rng.random() >= 0.2:
            first.append(" ".join(rng.choices(vocabulary, k=rng.randint(20, 39))))
            texts.append(first[-1])
            continue
        old = rng.choice(first)
        words = old.split()
        for _ in range(rng.randint(0, 2)):
            words[rng.randrange(len(words))] = rng.choice(vocabulary)
        texts.append(" ".join(words))
        one, other = shingles(old, 3), shingles(texts[-1], 3)
        if len(one & other) / len(one | other) >= NEAR:
            copies.add(i)
    return Corpus(texts, copies)


def vectors(count: int, *, seed: int = 0) -> Vectors:
    """Unit vectors around 200 centres in 32 of 384 dimensions, as sentence vectors of a narrow domain lie."""
    rng = np.random.default_rng(seed)
    latent = rng.standard_normal((200, 32))[rng.integers(200, size=count)] + 0.6 * rng.standard_normal((count, 32))
    rows = latent @ rng.standard_normal((32, DIMENSIONS)) + 0.1 * rng.standard_normal((count, DIMENSIONS))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def pool_of(rows_SD: Vectors, texts: Sequence[str]) -> Pool:
    """Samples with these vectors and texts."""
    rows = (Row(f"s{i:07d}", text, text[:40], f"skill-{i % 5}") for i, text in enumerate(texts))
    pool = Pool(tuple(rows))
    vars(pool)["vectors_SD"] = rows_SD
    return pool


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """CPU seconds of some work, and what came of it."""
    since = time.process_time()
    done = work()
    return time.process_time() - since, done


def rival(folder: Path, *arguments: object) -> tuple[float, list[Any]]:
    """CPU seconds a rival took, and what it found."""
    said = do(python("curation"), "-P", str(SCRIPT), str(folder), *map(str, arguments))
    return json.loads(said.splitlines()[-1])["seconds"], json.loads((folder / "found.json").read_text())


def select(name: str, pool: Pool, budget: int, *, seed: int = 0) -> list[int]:
    """What a selector with default settings chooses, by scores that are noise."""
    selector = load(PartSpec(name=name), base=Selector, package=f"{MODULES}.selectors", where="benchmark")
    scores_S = np.random.default_rng(1).standard_normal(len(pool))
    return selector.select(pool, scores_S, budget, seed=seed).tolist()


def near_duplicates(folder: Path, count: int, repeats: int) -> tuple[Json, list[Check]]:
    """Texts per CPU second at what recall."""
    made = corpus(count)
    few = corpus(count // 3)
    rates: dict[str, list[float]] = {}
    recalls: dict[str, float] = {}

    def note(name: str, texts: Corpus, seconds: float, refused: Sequence[int]) -> None:
        rates.setdefault(name, []).append(len(texts.texts) / seconds)
        recalls[name] = len(texts.copies & set(refused)) / len(texts.copies)

    def ours(texts: Corpus) -> tuple[float, list[int]]:
        seconds, matches = timed(lambda: Texts(NEAR).admit(texts.texts))
        return seconds, [i for i, match in enumerate(matches) if match is not None]

    for _ in range(repeats):
        (folder / "texts.json").write_text(json.dumps(made.texts))
        note("evolvent", made, *ours(made))
        for stream in STREAMS:
            note(" ".join(map(str, stream)), made, *rival(folder, *stream))
        (folder / "texts.json").write_text(json.dumps(few.texts))
        for stream in ("datasketch", "datasketch_bulk"):
            note(stream, few, *rival(folder, stream, "words", 32))
        note("evolvent on the same", few, *ours(few))
    middle = {name: median_and_range(measured) for name, measured in rates.items()}
    figures = {name: {"per_second": rate, "recall": recalls[name]} for name, rate in middle.items()}
    level = [name for name in recalls if name.startswith("rensa") and recalls[name] >= recalls["evolvent"] - LEVEL]
    best = max(level, key=lambda name: middle[name]["median"])
    over = middle["evolvent"]["median"] / middle[best]["median"]
    checks = [
        Check(f"near duplicates per CPU second over rensa ({best[6:]} bands)", f"{over:.1f}x", ">= 1.5x", over >= 1.5)
    ]
    for name in ("datasketch", "datasketch_bulk"):
        over = middle["evolvent on the same"]["median"] / middle[name]["median"]
        met = over >= 20 and recalls["evolvent on the same"] >= recalls[name] - LEVEL
        checks.append(Check(f"near duplicates per CPU second over {name}", f"{over:.0f}x", ">= 20x", met))
    return figures, checks


def centres(folder: Path, count: int, repeats: int) -> tuple[Json, list[Check]]:
    """k-center against the loop."""
    rows_SD = vectors(count)
    pool = pool_of(rows_SD, [""] * count)
    np.save(folder / "vectors.npy", rows_SD)
    first = select("k_center", pool, 1)[0]
    own: list[float] = []
    theirs: list[float] = []
    same = True
    for _ in range(repeats):
        seconds, chosen = timed(lambda: select("k_center", pool, BUDGET))
        own.append(seconds)
        seconds, found = rival(folder, "k_center", BUDGET, first)
        theirs.append(seconds)
        same &= chosen == found
    ratio = median_and_range([b / a for a, b in zip(own, theirs, strict=True)])
    figures = {"samples": count, "budget": BUDGET, "seconds": own, "scikit_learn": theirs, "same": same, "ratio": ratio}
    said = f"{ratio['median']:.0f}x, {'the same' if same else 'another'} choice"
    return figures, [Check("k-center over scikit-learn's distances", said, ">= 15x", same and ratio["median"] >= 15)]


def locations(folder: Path, count: int, repeats: int) -> tuple[Json, list[Check]]:
    """Facility location against apricot."""
    rows_SD = vectors(count)
    pool = pool_of(rows_SD, [""] * count)
    np.save(folder / "vectors.npy", rows_SD)
    own: list[float] = []
    theirs: list[float] = []
    shares: list[float] = []
    for _ in range(repeats):
        seconds, chosen = timed(lambda: select("facility", pool, BUDGET))
        own.append(seconds)
        seconds, found = rival(folder, "facility", BUDGET)
        theirs.append(seconds)
        shares.append(coverage(rows_SD, chosen) / coverage(rows_SD, found))
    ratio = median_and_range([b / a for a, b in zip(own, theirs, strict=True)])
    figures = {
        "samples": count,
        "budget": BUDGET,
        "seconds": own,
        "apricot": theirs,
        "objective": min(shares),
        "ratio": ratio,
    }
    met = ratio["median"] >= 15 and min(shares) >= 0.995
    said = f"{ratio['median']:.0f}x at {100 * min(shares):.1f} %"
    return figures, [Check("facility location over apricot, share of its objective", said, ">= 15x at 99.5 %", met)]


def coverage(rows_SD: Vectors, chosen: Sequence[int]) -> float:
    """Mean cosine to the nearest that is chosen."""
    parts = np.array_split(np.arange(len(rows_SD)), math.ceil(len(rows_SD) / 4096))
    return sum(float((rows_SD[part] @ rows_SD[list(chosen)].T).max(axis=1).sum()) for part in parts) / len(rows_SD)


def table() -> tuple[Json, list[Check]]:
    """CPU seconds of every method by the number of samples, and the exponent of the last tenfold."""
    seconds: dict[str, list[float]] = {}
    for count in SIZES:
        rows_SD, texts = vectors(count), corpus(count).texts
        pool = pool_of(rows_SD, texts)
        works: dict[str, Callable[[], object]] = {
            "near duplicates": lambda texts=texts: Texts(NEAR).admit(texts),
            "semantic duplicates": lambda rows_SD=rows_SD: Directions(0.95, DIMENSIONS).admit(rows_SD),
        }
        for name in known(f"{MODULES}.selectors"):
            budget = BUDGET if name in PER_CHOICE else count // 10
            works[name] = lambda name=name, budget=budget, pool=pool: select(name, pool, budget)
        for name in _by_vectors():
            works[f"score: {name}"] = lambda name=name, pool=pool: _score(name, pool)
        for name, work in works.items():
            # the least of a few: what is beside on the machine only adds
            seconds.setdefault(name, []).append(min(timed(work)[0] for _ in range(3 if count < max(SIZES) else 2)))
            print(f"{name:<22}{count:>8}{seconds[name][-1]:>10.3f} s", flush=True)
    exponents = {name: math.log10(costs[-1] / costs[-2]) for name, costs in seconds.items()}
    figures = {name: {"seconds": costs, "exponent": exponents[name]} for name, costs in seconds.items()}
    linear = [name for name in ("near duplicates", "facility", "score: density") if name in exponents]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    longest = max(costs[-1] for costs in seconds.values())
    slopes = ((name, exponents[name]) for name in linear)
    checks = [
        Check(f"exponent from 10k to 100k: {name}", f"{e:.2f}", f"<= {SLOPE:g}", e <= SLOPE) for name, e in slopes
    ]
    said = f"{longest:.0f} s; {peak:.1f} GiB"
    within = longest <= 600 and peak <= 4
    checks.append(Check("longest method on 100,000 samples; memory", said, "<= 600 s; 4 GiB", within))
    return {"sizes": SIZES, "methods": figures, "peak_gib": peak}, checks


def _by_vectors() -> list[str]:
    """Scorers that look at vectors."""
    package = f"{MODULES}.scorers"
    scorers = {name: load(PartSpec(name=name), base=Scorer, package=package, where="b") for name in known(package)}
    return [name for name, scorer in scorers.items() if "vectors" in scorer.needs and len(scorer.needs) == 1]


def _score(name: str, pool: Pool) -> float:
    """CPU seconds a scorer takes."""
    scorer = load(PartSpec(name=name), base=Scorer, package=f"{MODULES}.scorers", where="benchmark")
    return timed(lambda: asyncio.run(scorer.score(pool, Context())))[0]


def main(argv: Sequence[str] | None = None) -> list[Check]:
    """Measure, print and keep the result."""
    parser = argparse.ArgumentParser(prog="evolvent.benchmarks.curation", description=__doc__)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--table", action="store_true", help="cost by size in place of contests")
    options = parser.parse_args(argv)
    since = time.perf_counter()
    if options.table:
        result, checks = table()
        print("\n".join(check.line() for check in checks))
        keep("curation_sizes", result, checks, seconds=time.perf_counter() - since)
        return checks
    install("curation", RIVALS)
    result = {"rivals": {name: installed("curation", name) for name in PACKAGES}}
    checks = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        contests = {
            "near_duplicates": lambda: near_duplicates(folder, 30_000, options.repeats),
            "k_center": lambda: centres(folder, 30_000, options.repeats),
            "facility": lambda: locations(folder, 20_000, options.repeats),
        }
        for name, contest in contests.items():
            result[name], found = contest()
            checks += found
            print("\n".join(check.line() for check in found), flush=True)
    keep("curation", result, checks, seconds=time.perf_counter() - since)
    return checks


if __name__ == "__main__":
    main()
