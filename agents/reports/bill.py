"""What models were paid, by role, and how much of the budget that is: read from the store of answers."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from ...memory.account import ANSWERS
from ...memory.budget import Spending
from ...memory.responses import paid
from ...memory.viewer.markup import safe, table
from ...scenarios.schema import Scenario

Json = dict[str, Any]


def bill(run: Path, scenario: Scenario) -> Json:
    """What every role was paid, what that comes to, and the limits."""
    roles = paid(run / ANSWERS)
    total = sum(roles.values(), Spending())
    return {
        "roles": {role: asdict(cost) for role, cost in sorted(roles.items())},
        "total": asdict(total),
        "budget": {name: most for name, most in scenario.budget.model_dump().items() if most is not None},
    }


def bill_lines(found: Json) -> list[str]:
    """The same for a person, a line a role; nothing where no model was paid."""
    said = found.get("models") or {}
    width = max((len(role) for role in said.get("roles", {})), default=0)
    lines = [f"{role:{width}}  {_figures(cost)}" for role, cost in said.get("roles", {}).items()]
    lines += [_limits(said)] if said.get("budget") else []
    return [f"{'models' if i == 0 else '':7}  {line}" for i, line in enumerate(lines)]


def bill_table(found: Json) -> str:
    """The same as a table of the report; nothing where no model was paid."""
    said = found.get("models") or {}
    if not said.get("roles"):
        return ""
    rows = [
        [safe(role), f"{c['calls']:,}", f"{c['prompt_tokens']:,}", f"{c['tokens']:,}", f"{c['usd']:.4f}"]
        for role, c in [*said["roles"].items(), ("together", said["total"])]
    ]
    head = ["role", "calls", "tokens asked", "tokens answered", "US dollars"]
    limits = f"<p>{safe(_limits(said))}</p>" if said.get("budget") else ""
    return table("What models were paid", head, rows, kind="figures") + limits


def _figures(cost: Json) -> str:
    tokens = cost["prompt_tokens"] + cost["tokens"]
    return f"{cost['calls']:,} calls, {tokens:,} tokens, ${cost['usd']:.4f}"


def _limits(said: Json) -> str:
    return "budget " + ", ".join(f"{name} {most:,g}" for name, most in said["budget"].items())
