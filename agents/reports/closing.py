"""What a session came to, in the few lines a person reads at the end."""

from typing import Any

from ...memory.display import visible
from ..judging.jury import jury_lines
from .aftermath import aftermath_lines
from .bill import bill_lines
from .operators import operator_lines
from .weak import weak_lines

Json = dict[str, Any]

GRADED = "mean scores, bootstrap interval"
"""Said where an exam held graded scores."""
NOTICEABLE = 0.02
"""Change of a score from which a skill is listed as better."""


def closing(found: Json) -> str:
    """Say what was weak, what was taught, what got better, what did not, what it cost, and what to do next."""
    lines = [
        f"{found['run']}: {found['status']}"
        + (f"  LIMITED to {found['limited']}, not a result" if found["limited"] else "")
    ]
    if found["status"] == "finished" and "probe" in found:
        lines += weak_lines(found)
    elif found["status"] == "finished":
        lines += [*_inherited(found), *_weak(found), *_scores(found), *_guards(found), *_evaluations(found)]
        lines += [*_control(found), *_cost(found)]
        lines += ["", f"report   {found['dir']}/report.html", f"next     evolvent runs show {found['dir']}"]
    elif found["status"] == "waiting":
        lines += [
            "",
            f"review   the data of round {found['curated']} wait for you; after that: evolvent resume {found['dir']}",
        ]
        lines += [f"next     evolvent review {found['dir']}, or evolvent view {found['dir']} --review"]
    elif found["status"] == "spent":
        lines += ["", *bill_lines(found), f"next     evolvent resume {found['dir']} --set budget.KEY=MORE"]
    elif found["status"] == "running":
        lines += ["", "next     it goes on by itself; look at it with: evolvent view"]
    else:
        lines += ["", *([f"failed   {visible(found['reason'])}"] if found.get("reason") else [])]
        lines += [f"next     evolvent resume {found['dir']}"]
    return "\n".join(lines)


def _inherited(found: Json) -> list[str]:
    if not (before := found.get("from")):
        return []
    return [
        f"went on from {before['run']}: its student, {before['kept']:,} of {before['samples']:,} samples and "
        f"{before['memories']:,} memories; no exam held what it had examined"
    ]


def _weak(found: Json) -> list[str]:
    lines = ["", "what was weak, what was taught"]
    for w in found["weaknesses"]:
        last = w["life"][-1] if w["life"] else None
        now = f"{last['passed']}/{last['tried']} right at the last look" if last else ""
        lines.append(f"  {w['state']:9} {visible(w['hypothesis'])}: {w['samples']:,} samples, {now}")
    if not found["weaknesses"]:
        lines.append("  nothing that could be named: every target skill was solved, or failed without enough failures")
    return lines


def _scores(found: Json) -> list[str]:
    lines = [*_macro(found)] if found["select"] else []
    for split in ("select", "report"):
        change = found[split]
        if change:
            notes = ["sealed, opened once"] * (split == "report") + [GRADED] * (change["test"] == "bootstrap")
            said = f"  ({'; '.join(notes)})" if notes else ""
            lines.append(
                f"{split:7}  {change['before']:.1%} -> {change['after']:.1%}  {_points(change, 'change')}{said}"
            )
    report = found["report"]
    if report:
        given_up = {w["skill"] for w in found["weaknesses"] if w["state"] == "abandoned"}
        taught = [s for s in report["skills"] if s not in found["guards"]]
        better = [s for s in taught if report["skills"][s]["change"] > NOTICEABLE and s not in given_up]
        rest = [s + (" (no better than luck, abandoned)" if s in given_up else "") for s in taught if s not in better]
        lines.append(f"better   {', '.join(better) or 'nothing'}")
        lines.append(f"not      {', '.join(rest) or 'nothing'}")
    return ["", *lines]


def _macro(found: Json) -> list[str]:
    """What the two scores below it are over, and whose they are."""
    promoted = ", ".join(f"round {number}" for number in found["promoted"])
    hopeless = found["unlearnable"]
    lines = [f"scores   over the learnable skills; {', '.join(hopeless)} declared not learnable"] if hopeless else []
    return [*lines, f"promoted {promoted or 'nothing; the student is the one the session began with'}"]


def _points(change: Json, key: str) -> str:
    """A difference of shares with its interval, in points."""
    return f"{100 * change[key]:+.1f} points [{100 * change['low']:+.1f}, {100 * change['high']:+.1f}]"


def _guards(found: Json) -> list[str]:
    said = [f"{s} {100 * g['change']:+.1f}{' WORSE' if g['worse'] else ''}" for s, g in found["guards"].items()]
    return [f"guards   {', '.join(said)} points"] if said else []


def _evaluations(found: Json) -> list[str]:
    return [
        f"eval     {name} {100 * e['before']:.1f}% -> {100 * e['after']:.1f}%  {_points(e, 'change')}"
        f"{' WORSE' if e['worse'] else ''}  ({e['items']:,} items)"
        for name, e in found.get("evaluations", {}).items()
    ]


def _control(found: Json) -> list[str]:
    control = found["control"]
    if not control:
        return []
    own = f"{control['targeted_samples']:,} samples and {control['targeted_steps']:,} steps"
    other = f"{control['samples']:,} and {control['steps']:,} drawn evenly"
    charged = f"targeting also cost {control['probes_charged']:,} probe answers"
    return [
        f"control  {_points(control, 'difference')} with {own} against {other}: {control['verdict']} "
        f"({control['note']}); {charged}",
        *([] if control["promoted"] else [f"         compared is {control['compared']}"]),
    ]


def _cost(found: Json) -> list[str]:
    cost, samples = found["cost"], found["samples"]
    shares = ", ".join(
        f"{work} {share:.0%}" for work, share in sorted(found["shares"].items(), key=lambda i: -i[1]) if share >= 0.005
    )
    return [
        f"cost     {found['rounds']} rounds, {samples['kept']:,} samples kept of {samples['written']:,}, "
        f"{cost['probe_answers']:,} probe answers, {cost['training_steps']:,} training steps",
        f"time     {found['wall_seconds']:.0f} s: {shares}",
        *_reviews(found),
        *operator_lines(found),
        *aftermath_lines(found),
        *jury_lines(found),
        *bill_lines(found),
    ]


def _reviews(found: Json) -> list[str]:
    """What people decided, where they were asked."""
    if not (given := found.get("reviews")):
        return []
    by = ", ".join(map(visible, given["by"]))
    return [f"review   {given['accept']:,} accepted, {given['edit']:,} edited, {given['reject']:,} rejected by {by}"]
