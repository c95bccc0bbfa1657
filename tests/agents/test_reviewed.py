"""A real session that stops for a person, is reviewed in the terminal, killed while it takes that in, and trained."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from evolvent.memory.reading import Run
from evolvent.memory.records import Sample
from evolvent.memory.reviews import Review

from ..killing import MINI, Kill, runs, session

pytestmark = pytest.mark.slow


def trained(run: Path) -> set[str]:
    return set(pq.read_table(run / "rounds" / "001" / "data" / "train.parquet").column("sample").to_pylist())


def swapped(prompt: str) -> str:
    """The same sum the other way round: right, and the same task."""
    left, _, right = prompt.partition("+")
    return f"{right}+{left}"


def test_a_session_trains_without_what_was_rejected_and_with_what_was_edited(tmp_path: Path) -> None:
    begun = session(
        "run", MINI, "--set", "review=true", "--set", "rounds.most=1", "--limit", "30", "--json", folder=tmp_path
    )
    assert (begun.code, begun.events[-1]["status"]) == (0, "waiting")
    (run,) = runs(tmp_path)
    queue = session("review", run, "--json", folder=tmp_path).events
    sums = [entry for entry in queue if entry["skill"] == "add-plain"]
    lines = [
        {"sample": sums[0]["sample"], "action": "reject", "reason": "too easy"},
        {"sample": sums[1]["sample"], "action": "edit", "prompt": swapped(sums[1]["prompt"])},
    ]
    (tmp_path / "decisions.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert session("review", run, "--decisions", tmp_path / "decisions.jsonl", "--by", "ann", folder=tmp_path).code == 0
    waits = session("resume", run, "--json", folder=tmp_path)
    assert (waits.code, waits.events[-1]["status"]) == (0, "waiting")
    assert session("review", run, "--accept-all", "--by", "bob", folder=tmp_path).code == 0
    killed = session("resume", run, folder=tmp_path, kill=Kill("effect.before_commit"))
    assert killed.code == -9
    whole = session("resume", run, "--json", folder=tmp_path)
    assert (whole.code, whole.events[-1]["status"]) == (0, "finished")
    assert whole.events[-1]["reviews"]["by"] == ["ann", "bob"]
    with Run.load(run) as opened:
        reviews = {review.sample: review for review in opened.ledger.read(Review)}
        edited = opened.ledger.get(Sample, str(reviews[sums[1]["sample"]].edited))
    assert len(reviews) == len(queue)
    assert trained(run) == {e["sample"] for e in queue} - {sums[0]["sample"], sums[1]["sample"]} | {edited.id}
    (told,) = session("explain", sums[0]["sample"], "--run", run, "--json", folder=tmp_path).events
    assert (told["review"]["by"], told["fate"]["kept"], told["trained_in"]) == ("ann", False, [])
