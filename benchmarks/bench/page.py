"""The results of the laboratory as a page: every experiment with its arms against the baseline, whatever came out."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Json = Mapping[str, Any]
RESULTS = Path(__file__).parents[1] / "results" / "lab"
PAGE = Path(__file__).parents[1] / "lab" / "README.md"
HEAD = """\
# lab: what methods are worth on students that learn in seconds

Made by `evolvent bench --page` from `../results/lab`; `evolvent bench NAME` runs an experiment again, and its file here
says paper, protocol and why. Every arm is set against the baseline, paired by seed; in brackets the 95 % interval over
seeds. What does not help stands here like what does. Students of this size are no evidence for large ones.
"""


def page(folder: Path = RESULTS) -> str:
    """Give the page as Markdown.

    Args:
        folder: of results, one JSON file an experiment.
    """
    found = [(path.stem, json.loads(path.read_text())) for path in sorted(folder.glob("*.json"))]
    whole = [(name, kept) for name, kept in found if "summary" in kept]
    return "\n".join([HEAD, *(line for name, kept in whole for line in _experiment(name, kept))]).rstrip() + "\n"


def _experiment(name: str, kept: Json) -> Iterator[str]:
    deciding, baseline = str(kept["decides"]), str(kept["baseline"])
    seeds = len(kept["runs"][baseline])
    yield f"## {name}\n"
    yield f"{_sentence(kept['claim'])} Expected: {kept['expected']}. {seeds} seeds.\n"
    others = [figure for figure in kept["summary"][baseline] if figure != deciding]
    yield f"| arm | {deciding} | against {baseline} | | {' | '.join(others)} |"
    yield "|---|---|---|---|" + "---|" * len(others)
    for arm, own in kept["summary"].items():
        shown = [_number(own[figure]["mean"]) for figure in others]
        yield f"| {' | '.join([arm, *_against(own[deciding], arm == baseline), *shown])} |"
    yield ""
    for check in kept["checks"]:
        said = "met" if check["met"] else "**missed**"
        yield f"- {said}: {check['claim']}: {check['measured']} (wanted {check['required']})"
    if kept["checks"]:
        yield ""


def _against(own: Json, base: bool) -> list[str]:
    if base:
        return [_number(own["mean"]), "baseline", ""]
    low, high = own["interval"]
    return [_number(own["mean"]), f"{_number(own['against'])} [{_number(low)}, {_number(high)}]", str(own["word"])]


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3f}".replace("-", "−")


def _sentence(claim: str) -> str:
    return f"{claim[:1].upper()}{claim[1:]}."
