"""What a look at a student found, for a terminal: every skill, and the weaknesses with the failures that show them.

What the student said is data: whatever cannot be seen in it is made visible, and each text stays in its line.
"""

from typing import Any

from ...memory.display import line

Json = dict[str, Any]

SHOWN = 3
"""Failing attempts written out for every weakness."""
UNTEACHABLE = "  (its engine does not serve what a round trains; name one that does, such as 'transformers')"


def weak_lines(found: Json) -> list[str]:
    """Skills, weaknesses, cost, and the command that would teach."""
    lines = ["", *_skills(found), "", *_weaknesses(found)]
    lines += ["", f"report   {found['dir']}/report.html"]
    return [*lines, f"next     {found['probe']['next']}{'' if found['probe']['teachable'] else UNTEACHABLE}"]


def _skills(found: Json) -> list[str]:
    shown = {skill: cells[0] for skill, cells in found["heat"]["skills"].items()}
    exams = found["curve"][0]["skills"]
    width = max(map(len, ["skill", *shown]))
    lines = [f"{'skill':{width}}  {'probes right':>12}  {'rate':>5}  {'95 % interval':14}  {'verdict':9}  select exam"]
    for skill, cell in shown.items():
        right = f"{cell['passed']:,} of {cell['tried']:,}"
        exam = f"{exams[skill]['rate']:.1%}" if skill in exams else "guard"
        lines.append(
            f"{skill:{width}}  {right:>12}  {cell['rate']:5.0%}  {_between(cell):14}  {cell['verdict']:9}  {exam}"
        )
    return lines


def _weaknesses(found: Json) -> list[str]:
    if not found["weaknesses"]:
        return ["weaknesses: none that could be named; every target is solved, or failed without enough failures"]
    lines = ["weaknesses, each borne out on fresh probes"]
    for weakness in found["weaknesses"]:
        seen = weakness["seen"]
        lines += [f"  {line(weakness['skill'])}: {line(weakness['hypothesis'])}"]
        lines += [
            f"    foreseen {weakness['foreseen']:.0%} right, seen {seen['rate']:.0%} {_between(seen)} "
            f"on {seen['tried']:,} fresh probes"
        ]
        lines += [f"    {_failure(failure)}" for failure in weakness["failures_shown"][:SHOWN]]
    return lines


def _failure(failure: Json) -> str:
    said = line(failure["answer"]) or "with nothing"
    return f"{line(failure['prompt'])}  was answered  {said}  expected  {line(failure['expected'])}"


def _between(share: Json) -> str:
    return f"[{share['low']:.0%}, {share['high']:.0%}]"
