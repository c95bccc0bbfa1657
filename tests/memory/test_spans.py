from contextlib import closing
from pathlib import Path

import pytest

from evolvent.memory import spans
from evolvent.memory.errors import RunError, UsageError
from evolvent.memory.spans import Spans
from evolvent.memory.trace import Trace, recording, span


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with recording(Trace(tmp_path / "trace.sqlite")), span("session"):
        for i in range(3):
            with span("node", round=i), span("write", said="50% of_it\\"):
                pass
    return tmp_path / "trace.sqlite"


def test_a_trace_is_walked_as_a_tree_in_the_order_steps_began(path: Path) -> None:
    with closing(Spans.open(path)) as trace:
        walked = [(s.name, level) for s, level in trace.tree(trace.roots(), depth=2, most=5)]
    assert walked == [("session", 0), ("node", 1), ("write", 2), ("node", 1), ("write", 2)]


def test_steps_that_have_not_ended_stand_where_they_belong(tmp_path: Path) -> None:
    with recording(Trace(tmp_path / "trace.sqlite")), span("session", seed=3), span("node"):
        with span("ask"):
            pass
        with span("write"), closing(Spans.open(tmp_path / "trace.sqlite")) as trace:
            walked = list(trace.tree(trace.roots(), depth=3, most=9))
            assert [(s.name, level, s.ended) for s, level in walked] == [
                ("session", 0, False),
                ("node", 1, False),
                ("ask", 2, True),
            ]
            top = walked[0][0]
            assert (top.status, top.attributes) == ("not ended", {"seed": 3})
            assert trace.parts([top.id]) == {top.id: 1}
            assert [s.name for s in trace.above(walked[2][0])] == ["session", "node"]
    with closing(Spans.open(tmp_path / "trace.sqlite")) as trace:
        assert [s.ended for s, _ in trace.tree(trace.roots(), depth=3, most=9)] == [True] * 4


def test_parts_of_a_step_come_a_page_at_a_time(path: Path) -> None:
    with closing(Spans.open(path)) as trace:
        top = trace.roots()[0]
        pages = [trace.children(top.id, limit=2, offset=at) for at in (0, 2)]
    assert [[s.attributes["round"] for s in page] for page in pages] == [[0, 1], [2]]


@pytest.mark.parametrize(
    ("text", "hits"), [("write", 3), ("WRITE", 3), ("50%", 3), ("f_i", 3), ("5_", 0), ("zebra", 0)]
)
def test_a_text_is_found_as_it_stands(path: Path, text: str, hits: int) -> None:
    with closing(Spans.open(path)) as trace:
        assert len(list(trace.every(text, most=9))) == hits


def test_a_search_goes_through_the_trace_window_by_window(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spans, "WINDOW", 2)
    with closing(Spans.open(path)) as trace:
        first = trace.search("write")
        assert ([s.name for s in first.spans], first.rest) == ([], 6)  # the last two to end are a node and the session
        assert [s.name for s in trace.search("write", before=6).spans] == ["write"]
        assert len(list(trace.every("write", most=9))) == 3


def test_more_text_than_can_be_looked_for_is_refused(path: Path) -> None:
    with closing(Spans.open(path)) as trace, pytest.raises(UsageError, match="60,000 characters is too long"):
        trace.search("x" * 60_000)


def test_a_run_without_a_trace_has_no_steps(tmp_path: Path) -> None:
    trace = Spans.open(tmp_path / "trace.sqlite")
    assert (trace.count(), trace.roots(), trace.names()) == (0, [], [])


def test_a_damaged_trace_says_that_it_may_be_deleted(tmp_path: Path) -> None:
    (tmp_path / "trace.sqlite").write_bytes(b"not a database at all" * 99)
    with pytest.raises(RunError, match="holds nothing but timings"):
        Spans.open(tmp_path / "trace.sqlite")


def test_an_unknown_step_is_an_error_that_names_it(path: Path) -> None:
    with closing(Spans.open(path)) as trace, pytest.raises(RunError, match="no span 'nobody'"):
        trace.get("nobody")
