"""What every operator made, in the summary, for a terminal, and in the report."""

from typing import Any

from ...memory.display import visible
from ...memory.ledger import Ledger
from ...memory.operators import Tally, tally
from ...memory.viewer.operators import LEAD, operator_table

Json = dict[str, Any]


def operators(ledger: Ledger) -> Json:
    """Tallies under their key of the summary; nothing where no operator was at work."""
    found = tally(ledger)
    return {"operators": [t._asdict() for t in found]} if found else {}


def operator_lines(found: Json) -> list[str]:
    """One line an operator."""
    given = [Tally(**t) for t in found.get("operators") or []]
    width = max((len(t.operator) for t in given), default=0)
    return [f"{'made by' if i == 0 else '':7}  {visible(t.operator):{width}}  {_said(t)}" for i, t in enumerate(given)]


def operator_section(found: Json) -> str:
    """The same as a part of the report's page."""
    given = [Tally(**t) for t in found.get("operators") or []]
    return f"<h3>Operators</h3><p>{LEAD}</p>{operator_table(given)}" if given else ""


def _said(tally: Tally) -> str:
    moved = "" if tally.change is None else f"; candidates moved {100 * tally.change:+.1f} points on its skills"
    return f"{tally.kept:,} of {tally.written:,} samples kept, {tally.refused:,} refused by critique{moved}"
