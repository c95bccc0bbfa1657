"""What others do for curation, timed inside their own environment; run by `curation.py`, never imported.

One method a call: it reads its input from a folder, writes what it chose there and prints the CPU seconds it took,
without reading, importing or compiling.
"""

# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false, reportAttributeAccessIssue=false
import json
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

PERMUTATIONS = 128
Tokens = Callable[[str], list[str]]


def characters(text: str) -> list[str]:
    """Runs of three characters."""
    return list({text[i : i + 3] for i in range(max(1, len(text) - 2))})


def words(text: str) -> list[str]:
    """Runs of three words."""
    all_words = text.split()
    return list({" ".join(all_words[i : i + 3]) for i in range(max(1, len(all_words) - 2))})


def rensa_stream(folder: Path, tokens: Tokens, bands: int) -> tuple[float, list[int]]:
    """Rensa's MinHash in one batch, then its index: a text without a candidate is kept."""
    import rensa

    texts = json.loads((folder / "texts.json").read_text())
    since = time.process_time()
    made = rensa.RMinHash.from_token_sets([tokens(text) for text in texts], PERMUTATIONS, 1)
    index, refused = rensa.RMinHashLSH(0.5, PERMUTATIONS, bands), []
    for i, hashed in enumerate(made):
        if index.query(hashed):
            refused.append(i)
        else:
            index.insert(i, hashed)
    return time.process_time() - since, refused


def datasketch_stream(folder: Path, tokens: Tokens, bands: int, *, bulk: bool) -> tuple[float, list[int]]:
    """MinHash of datasketch, a text at a time or by its generator, then its index."""
    from datasketch import MinHash, MinHashLSH

    texts = json.loads((folder / "texts.json").read_text())
    since = time.process_time()
    encoded = ([token.encode() for token in tokens(text)] for text in texts)
    index, refused = MinHashLSH(num_perm=PERMUTATIONS, params=(bands, PERMUTATIONS // bands)), []

    def one_by_one() -> Iterator[MinHash]:
        for some in encoded:
            made = MinHash(num_perm=PERMUTATIONS)
            made.update_batch(some)
            yield made

    for i, hashed in enumerate(MinHash.generator(encoded, num_perm=PERMUTATIONS) if bulk else one_by_one()):
        if index.query(hashed):
            refused.append(i)
        else:
            index.insert(i, hashed, check_duplication=False)
    return time.process_time() - since, refused


def k_center(folder: Path, budget: int, first: int) -> tuple[float, list[int]]:
    """The usual loop: distances to the newest centre by scikit-learn, the least so far, the farthest next."""
    from sklearn.metrics import pairwise_distances

    vectors = np.load(folder / "vectors.npy")
    pairwise_distances(vectors[:10], vectors[:1])
    since = time.process_time()
    chosen, nearest = [first], np.full(len(vectors), np.inf)
    while len(chosen) < budget:
        nearest = np.minimum(nearest, pairwise_distances(vectors, vectors[chosen[-1] : chosen[-1] + 1])[:, 0])
        chosen.append(int(nearest.argmax()))
    return time.process_time() - since, chosen


def facility(folder: Path, budget: int) -> tuple[float, list[int]]:
    """Facility location of apricot, lazy greedy on cosines."""
    from apricot import FacilityLocationSelection

    vectors = np.load(folder / "vectors.npy")
    FacilityLocationSelection(5, metric="cosine", optimizer="lazy").fit(vectors[:200])
    since = time.process_time()
    fitted = FacilityLocationSelection(budget, metric="cosine", optimizer="lazy").fit(vectors)
    return time.process_time() - since, fitted.ranking.tolist()


def main() -> None:
    """Do what the arguments say: folder, method, its settings."""
    folder, method, *settings = Path(sys.argv[1]), *sys.argv[2:]
    warnings.simplefilter("ignore")
    tokens = {"characters": characters, "words": words}
    if method == "rensa":
        seconds, found = rensa_stream(folder, tokens[settings[0]], int(settings[1]))
    elif method.startswith("datasketch"):
        bulk = method == "datasketch_bulk"
        seconds, found = datasketch_stream(folder, tokens[settings[0]], int(settings[1]), bulk=bulk)
    elif method == "k_center":
        seconds, found = k_center(folder, int(settings[0]), int(settings[1]))
    else:
        seconds, found = facility(folder, int(settings[0]))
    (folder / "found.json").write_text(json.dumps(found))
    print(json.dumps({"seconds": seconds}))


if __name__ == "__main__":
    main()
