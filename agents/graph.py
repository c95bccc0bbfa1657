"""The loop as a LangGraph graph: control flow only, with ids in its state and every step at least once.

    baseline → probe → diagnose → allocate → generate ⇄ critique → curate → review → train → examine → decide → reflect
                 ↑        └→ finish                                                                                │
                 └─────────────────────────────────────────────────────────────────────────────────────────────────┘

LangGraph resumes a graph whose node was renamed as if it were finished, so a run keeps the fingerprint of its graph
and refuses another one.
"""

import contextlib
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..memory import conventions, crash, files
from ..memory.errors import RunError
from ..memory.parts import PartSpec, known, load
from ..memory.records import Session
from ..memory.stopping import STOP
from .desk import Desk
from .keeping import make_room
from .node import Node, State, Update

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph

WRITES = 3
"""Times a round's samples are written at most before what is missing stays missing."""
THREAD = "session"
PLACE = "graph.sqlite"
"""Where a run keeps its place in the graph; without it a session goes through its committed steps again."""
KEEP = 3
"""Checkpoints kept per run; a resume needs the last one."""

EDGES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("baseline", ("probe",)),
    ("probe", ("diagnose",)),
    ("diagnose", ("allocate", "finish")),
    ("allocate", ("generate",)),
    ("generate", ("critique",)),
    ("critique", ("generate", "curate")),
    ("curate", ("review",)),
    ("review", ("train", "reflect")),
    ("train", ("examine",)),
    ("examine", ("decide",)),
    ("decide", ("reflect",)),
    ("reflect", ("probe",)),
)
PROBE = EDGES[:2]
"""The way of a session that only probes: it ends where another one would begin to teach."""


def nodes() -> dict[str, Node]:
    """Every node of the folder, by name."""
    package = f"{__package__}.nodes"
    return {name: load(PartSpec(name=name), base=Node, package=package, where="graph") for name in known(package)}


def fingerprint(*, probe: bool = False) -> str:
    """Digest of nodes and edges, of a whole session or of one that only probes."""
    return files.digest([known(f"{__package__}.nodes"), PROBE if probe else EDGES])


def route(node: str, state: State) -> str:
    """Say where the graph goes from a node with two ways out."""
    if node == "diagnose":
        return "finish" if state.get("finished") else "allocate"
    if node == "critique":
        return "generate" if state.get("missing") and state.get("attempt", 0) < WRITES else "curate"
    return "train" if state.get("approved", True) else "reflect"


def build(desk: Desk, checkpointer: Any) -> "CompiledStateGraph[State, None, State, State]":
    """Build the graph at a desk."""
    from langgraph.graph import END, START, StateGraph

    edges, last = (PROBE, "diagnose") if desk.session.only_probes else (EDGES, "finish")
    graph: Any = StateGraph(State)
    for name, node in nodes().items():
        if name == last or name in dict(edges):
            graph.add_node(name, _step(name, node, desk))
    graph.add_edge(START, "baseline")
    for source, targets in edges:
        if len(targets) == 1:
            graph.add_edge(source, targets[0])
        else:
            graph.add_conditional_edges(source, _router(source), list(targets))
    graph.add_edge(last, END)
    return graph.compile(checkpointer=checkpointer)


def check(run: Path, session: Session) -> None:
    """Refuse a run that was begun with another graph, or whose place in it cannot be read.

    Raises:
        RunError: either of them.
    """
    if session.graph != (own := fingerprint(probe=session.only_probes)):
        raise RunError(
            f"{run}: begun with graph {session.graph}, this version has {own}; "
            "finish it with the version that began it, or start a new run"
        )
    path = run / PLACE
    try:
        if path.exists():
            with contextlib.closing(sqlite3.connect(files.database(path), uri=True)) as database:
                if (found := database.execute("pragma quick_check(1)").fetchone()[0]) != "ok":
                    raise sqlite3.DatabaseError(found)
    except sqlite3.DatabaseError as error:
        raise RunError(f"{path}: cannot be read ({error}); delete it, what happened is in the ledger") from None


async def advance(desk: Desk) -> str:
    """Run the session to its end from wherever it stands.

    Returns:
        `finished`, or `waiting` when a person has to decide something.
    """
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

    async with AsyncSqliteSaver.from_conn_string(str(desk.run / PLACE)) as saver:
        graph = build(desk, saver)
        config: Any = {"configurable": {"thread_id": THREAD}, "recursion_limit": 20 * (desk.scenario.rounds.most + 2)}
        # `next` alone does not say that a session is over: it is empty, too, when a step's result is stored and the
        # checkpoint after it is not; going on from the end does nothing
        begun = await saver.aget_tuple(config) is not None
        start: Any = None if begun else Update()
        with STOP.deferred(), conventions.workflow(desk.scenario.name, run=desk.run.name):
            async for _ in graph.astream(start, config, durability="sync", stream_mode="updates"):
                crash.point("graph.after_node")
                await _prune(saver)
        after = await graph.aget_state(config)
        return "waiting" if after.next else "finished"


def _step(name: str, node: Node, desk: Desk) -> Callable[[State], Awaitable[Update]]:
    async def step(state: State) -> Update:
        STOP.heed()
        desk.account.purse.check_time()
        await make_room(desk, state.get("round", 0))
        desk.say("node", name=name, round=state.get("round", 0))
        with conventions.agent(name, round=state.get("round", 0)):
            update = await node.run(state, desk)
        update["effects"] = desk.ledger.committed()
        return update

    step.__name__ = name
    return step


def _router(source: str) -> Callable[[State], str]:
    def router(state: State) -> str:
        return route(source, state)

    return router


async def _prune(saver: Any) -> None:
    """Drop all but the last checkpoints: the saver keeps every one, and a resume needs only the newest."""
    old = "select checkpoint_id from checkpoints where thread_id = ? order by checkpoint_id desc limit -1 offset ?"
    for table in ("writes", "checkpoints"):
        await saver.conn.execute(
            f"delete from {table} where thread_id = ? and checkpoint_id in ({old})",  # noqa: S608
            (THREAD, THREAD, KEEP),
        )
    await saver.conn.commit()
