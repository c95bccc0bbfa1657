"""The pages on real sessions: one while it goes on and when it is finished, one that was killed in its training."""

from pathlib import Path

import pytest

import evolvent

from .conftest import Live
from .visits import assert_ours, every_page, kinds_of, visit

pytestmark = pytest.mark.slow

KINDS = {"", "rounds", "skill", "weaknesses", "samples", "exams", "trace", "records"}


def test_a_session_is_followed_while_it_goes_on(live: Live) -> None:
    assert len(set(live.beats)) > 2
    assert any('"running"' in beat for beat in live.beats)


def test_every_page_of_a_live_session_is_whole(live: Live) -> None:
    assert kinds_of(list(live.pages), live.run) >= KINDS
    for html in live.pages.values():
        assert_ours(html)


@pytest.mark.parametrize("which", ["finished", "killed"])
def test_every_page_of_a_real_session_is_whole(which: str, request: pytest.FixtureRequest) -> None:
    run: Path = request.getfixturevalue(which)
    pages = every_page(visit(run.parent), run.name, each=30)
    assert kinds_of(list(pages), run.name) >= KINDS
    for html in pages.values():
        assert_ours(html)


def test_a_killed_session_is_told_apart_from_one_that_goes_on(killed: Path) -> None:
    client = visit(killed.parent)
    assert "interrupted" in client.get(f"/runs/{killed.name}").text
    assert "not ended" in client.get(f"/runs/{killed.name}/trace").text
    assert "data-pulse" not in client.get(f"/runs/{killed.name}").text


def test_looking_changes_nothing_in_a_run(finished: Path) -> None:
    def content() -> dict[str, bytes]:
        files = (p for p in finished.rglob("*") if p.is_file() and not p.name.endswith(("-shm", "-wal")))
        return {str(p): p.read_bytes() for p in files}

    before = content()
    every_page(visit(finished.parent), finished.name, each=2)
    assert content() == before


def test_a_real_run_is_read_as_data_frames(finished: Path) -> None:
    with evolvent.Run.load(finished) as run:
        samples, rounds = run.samples().to_pandas(), run.rounds().to_pandas()
        assert run.spans().num_rows == run.trace.count() > 50
        assert run.attempts().num_rows > 0
    assert set(rounds["arm"]) == {"targeted", "control"}
    for arm in ("targeted", "control"):
        trained = rounds[rounds["arm"] == arm]["samples"].max()
        assert samples[samples["arm"] == arm]["kept"].sum() == trained > 0
