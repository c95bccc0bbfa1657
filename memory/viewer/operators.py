"""What every operator made, as a table."""

from collections.abc import Callable, Sequence

from ..operators import Tally, tally
from ..reading import Run
from .markup import NOTHING, percent, points, safe, section, table
from .places import link, to

LEAD = (
    "How each operator's samples fared: what critique turned down, what was kept, how much of that a promoted student "
    "learned, and by how many points candidates that learned it moved on the skills it was for. The other samples of "
    "a round had their part in that."
)


def operator_table(tallies: Sequence[Tally], *, name: Callable[[str], str] = safe) -> str:
    """One row per operator; nothing where there is none.

    Args:
        tallies: what they made.
        name: how the name of one is shown, as HTML.
    """
    if not tallies:
        return ""
    rows = [
        [
            name(t.operator),
            f"{t.written:,}",
            f"{t.refused:,}",
            f"{t.kept:,}",
            percent(t.kept / t.written if t.written else None),
            f"{t.promoted:,}",
            NOTHING if t.change is None else points(t.change),
        ]
        for t in tallies
    ]
    head = ["operator", "written", "refused", "kept", "share kept", "in promoted students", "points on its skills"]
    return table("Operators", head, rows, kind="figures")


def operators(run: Run, round: int | None = None) -> str:
    """The section of a page, of one round or of all; nothing where no operator was at work."""

    def name(operator: str) -> str:
        return link(to(run.name, "samples", operator=operator, round=round), operator)

    # counting reads every sample, so it is left where none can have been made by an operator
    if not run.scenario.get("teacher", {}).get("settings", {}).get("operators"):
        return ""
    shown = operator_table(tally(run.ledger, round=round), name=name)
    return section("operators", "Operators", LEAD, shown) if shown else ""
