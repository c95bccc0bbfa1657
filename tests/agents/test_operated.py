"""A whole session in which every operator makes samples, over an endpoint."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from evolvent.memory.account import ANSWERS
from evolvent.memory.ledger import Ledger
from evolvent.memory.parts import known
from evolvent.memory.reading import Run
from evolvent.memory.records import Fate, Sample
from evolvent.memory.responses import paid
from evolvent.memory.viewer.pages import round, sample
from evolvent.memory.viewer.pages import session as overview

from ..endpoint import MODEL, serving
from ..killing import Json, Kill, figures, runs, session, trial
from ..teaching import Teaching

pytestmark = pytest.mark.slow

SLOTS = 16
GREETINGS = 3 * 2 * 2
"""Calls to see that an endpoint is there: before the run, in it and when it goes on, two for each of two roles."""
TAUGHT = Path(__file__).parent.with_name("taught.toml")
OPERATORS = known("evolvent.agents.operators")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Teaching]:
    taught = Teaching()
    taught.slots, taught.latency = asyncio.Semaphore(SLOTS), lambda _: 0.02
    with serving(taught):
        yield taught


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("operated")


@pytest.fixture(scope="module")
def scenario(folder: Path) -> Path:
    """Every operator, under a verifier that finds the answer behind a reasoning; room for reasoning in the student."""
    text = TAUGHT.read_text().replace("prober = true", f"operators = {OPERATORS}\nseeds = 0.03")
    path = folder / "operated.toml"
    path.write_text(text.replace("[teacher]", 'verifier = "numeric"\n\n[teacher]', 1))
    return path


def options(endpoint: Teaching) -> list[str]:
    settings = {"name": "openai", "base_url": endpoint.url, "model": MODEL, "answer_price": 2}
    return [f"--set=models.{role}.{k}={v}" for role in ("teacher", "judge") for k, v in settings.items()]


@pytest.fixture(scope="module")
def whole(endpoint: Teaching, folder: Path, scenario: Path) -> tuple[Path, Json]:
    ended = session("run", scenario, "--json", *options(endpoint), folder=folder)
    assert ended.code == 0, ended.said
    return Path(ended.events[0]["dir"]), ended.events[-1]


def test_every_operator_makes_data_that_is_kept_and_is_told_apart_to_the_end(whole: tuple[Path, Json]) -> None:
    run, done = whole
    ledger = Ledger(run / "ledger.sqlite", read_only=True)
    samples = {s.id: s for s in ledger.read(Sample, subject="targeted")}
    kept = Counter(samples[f.sample].origin for f in ledger.read(Fate) if f.kept and f.sample in samples)
    ledger.close()
    operators = Counter({o.operator for o in kept if o})
    assert sorted(operators) == OPERATORS
    assert [t["operator"] for t in done["operators"]] == OPERATORS
    assert sum(t["written"] for t in done["operators"]) == done["samples"]["written"]
    assert sum(t["kept"] for t in done["operators"]) == done["samples"]["kept"]
    assert all(t["refused"] < t["written"] and t["change"] is not None for t in done["operators"])
    page = (run / "report.html").read_text()
    assert all(f'<th scope="row">{name}</th>' in page for name in OPERATORS)


def test_the_viewer_shows_what_an_operator_made_and_from_what(whole: tuple[Path, Json]) -> None:
    with Run.load(whole[0]) as run:
        made = next(s for s in run.ledger.read(Sample) if s.origin and s.origin.operator == "rationale")
        shown = "".join(sample.page(run, {"id": made.id}).body)
        assert "made from a seed" in shown
        assert f"operator={made.origin.operator if made.origin else ''}" in shown
        for body in (overview.page(run, {}).body, round.page(run, {"round": "1"}).body):
            assert all(f"operator={name}" in "".join(body) for name in OPERATORS)
        assert {row["operator"] for row in run.samples().to_pylist() if row["arm"] == "targeted"} == set(OPERATORS)


@pytest.mark.parametrize("kill", [Kill(count=5, later=0.1), Kill("effect.before_commit", 20)], ids=str)
def test_a_session_killed_while_operators_write_comes_to_the_same_and_pays_once(
    endpoint: Teaching, folder: Path, scenario: Path, whole: tuple[Path, Json], kill: Kill
) -> None:
    since = len(endpoint.bodies)
    done = trial(folder, [kill], scenario, *options(endpoint))
    assert done.problems(figures(*whole)) == []
    stored = paid(runs(folder)[-1] / ANSWERS)
    assert stored == paid(whole[0] / ANSWERS)
    again = len(endpoint.bodies) - since - GREETINGS - sum(cost.calls for cost in stored.values())
    assert 0 <= again <= SLOTS
