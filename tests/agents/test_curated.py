"""A whole session whose scenario names methods of curation."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from evolvent.memory.ledger import Ledger
from evolvent.memory.reading import Run
from evolvent.memory.records import Fate, Round, Sample, Share
from evolvent.memory.viewer.pages import round, sample
from evolvent.training.trainer import DATA

from ..killing import MINI, Json, figures, session

pytestmark = pytest.mark.slow

NAMED = (
    "candidates=2.0", 'enhancers=["normalise", "secrets"]', "scorer=density", "selector=inverse_propensity",
    "orderer=folding",
)  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Json]:
    settings = [f"--set=curation.{setting}" for setting in NAMED]
    ended = session("run", MINI, "--json", *settings, folder=tmp_path_factory.mktemp("curated"))
    assert ended.code == 0, ended.said
    return Path(ended.events[0]["dir"]), ended.events[-1]


def test_twice_as_many_are_written_and_as_many_are_trained_on_as_were_asked_for(whole: tuple[Path, Json]) -> None:
    with Run.load(whole[0]) as run:
        fates, shares = run.ledger.read(Fate, round=1), run.ledger.read(Share, round=1)
        kept = [f for f in fates if f.kept]
        asked = sum(share.samples for share in shares)
        assert len(kept) <= asked
        assert len(kept) > 0.9 * asked
        assert len(fates) > 1.8 * asked
        assert all(f.score is not None for f in kept)
        assert any(f.reason == "selection: inverse_propensity chose others" for f in fates)
        trained = run.ledger.read(Round, subject="targeted")[0]
        assert trained.samples == len(kept)


def test_pages_show_what_was_chosen_and_its_score(whole: tuple[Path, Json]) -> None:
    with Run.load(whole[0]) as run:
        lost = next(f for f in run.ledger.read(Fate, round=1) if f.reason.startswith("selection"))
        assert "The scorer gave it" in "".join(sample.page(run, {"id": lost.sample}).body)
        assert "selection" in "".join(round.page(run, {"round": "1"}).body)


def test_training_keeps_to_the_order(whole: tuple[Path, Json]) -> None:
    run = whole[0]
    ordered = pq.read_table(run / "rounds/001" / DATA)["sample"].to_pylist()
    ledger = Ledger(run / "ledger.sqlite", read_only=True)
    scores = {f.sample: f.score for f in ledger.read(Fate, round=1) if f.kept}
    samples = {s.id for s in ledger.read(Sample, round=1)}
    ledger.close()
    assert set(ordered) == set(scores) <= samples
    assert ordered != sorted(ordered)


def test_the_same_session_again_trains_on_the_same(whole: tuple[Path, Json], tmp_path: Path) -> None:
    settings = [f"--set=curation.{setting}" for setting in NAMED]
    ended = session("run", MINI, "--json", *settings, folder=tmp_path)
    assert figures(Path(ended.events[0]["dir"]), ended.events[-1]) == figures(*whole)
