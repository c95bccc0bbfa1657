import inspect

import pytest

from evolvent.agents.graph import EDGES, WRITES, fingerprint, nodes, route
from evolvent.agents.node import Node, State
from evolvent.memory.parts import known

NODES = nodes()


def make_state(**changes: object) -> State:
    whole = State(
        round=1,
        student="",
        path="",
        candidate="",
        candidate_path="",
        attempt=0,
        missing=0,
        finished=False,
        approved=True,
        effects=0,
    )
    return State(**{**whole, **changes})  # pyright: ignore[reportArgumentType] -- changes are the test's own


@pytest.mark.parametrize("name", known("evolvent.agents.nodes"))
def test_every_node_has_a_place_in_the_graph_and_only_writes_through_effects(name: str) -> None:
    sources, targets = {s for s, _ in EDGES}, {t for _, ts in EDGES for t in ts}
    assert name in sources | targets
    assert isinstance(NODES[name], Node)
    text = inspect.getsource(inspect.getmodule(NODES[name]))  # pyright: ignore[reportArgumentType] -- a module, not None
    assert not any(word in text for word in ("ledger.commit", "ledger.intend", "write_json", "write_text"))


def test_the_graph_starts_at_baseline_and_every_way_leads_to_the_end() -> None:
    follow = dict(EDGES)

    def ends(name: str, seen: frozenset[str]) -> bool:
        return name == "finish" or any(ends(n, seen | {name}) for n in follow[name] if n not in seen)

    assert all(ends(name, frozenset()) for name in follow)
    assert "baseline" not in {t for _, ts in EDGES for t in ts}


def test_samples_are_written_again_only_so_often() -> None:
    assert route("critique", make_state(missing=3, attempt=1)) == "generate"
    assert route("critique", make_state(missing=3, attempt=WRITES)) == "curate"
    assert route("critique", make_state(missing=0, attempt=1)) == "curate"


def test_a_finished_session_is_not_allocated_and_unapproved_data_is_not_trained_on() -> None:
    assert route("diagnose", make_state(finished=True)) == "finish"
    assert route("review", make_state(approved=False)) == "reflect"


def test_the_fingerprint_of_the_graph_does_not_change_by_itself() -> None:
    assert fingerprint() == fingerprint()


def test_the_state_holds_ids_and_counters_only() -> None:
    assert set(State.__annotations__.values()) <= {int, str, bool}
