"""The page beside a model or a data set: what it is, what it was made of, what the exams say, and how to make it again.

Every figure comes from the record. Texts of models and scenarios go through `markdown.plain`, and what is in the YAML
head through its library, so none of them can become markup or a key.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...memory.reading import Run
from ...memory.records import Promotion
from ...memory.viewer.markup import between, percent, points, several, within
from ..folder import before
from ..reports.summary import Json
from .dataset import ORIGIN, Row
from .markdown import fenced, plain, table
from .pick import Pick

if TYPE_CHECKING:
    from huggingface_hub import CardData, EvalResult

TAGS = ["evolvent"]
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
"""Size classes of the Hub, by the number of rows they end at."""
LARGE = "1M<n<10M"
SPLITS = {
    "report": "the sealed report, opened once at the end",
    "select": "*select*, the items that promotions were decided on",
}
EXACT, GRADED = "paired, exact", "paired, bootstrap over items"
"""How an interval was found."""


def model_card(run: Run, found: Json, pick: Pick, scores: dict[str, Json | None], *, form: str, base: str = "",
               data: str = "", command: str) -> str:  # fmt: skip
    """The card of a student.

    Args:
        run: of the session.
        found: the session in figures.
        pick: the student.
        scores: its exams, by split.
        form: `weights`, `adapter`, or `merged` for an adapter merged into its base.
        base: what the base of an adapter is called where it will be used.
        data: data set on the Hub that holds what it was trained on.
        command: makes it again.
    """
    from huggingface_hub import ModelCardData

    shown = next((split for split in SPLITS if scores[split]), None)
    head = ModelCardData(
        library_name="peft" if form == "adapter" else "transformers",
        pipeline_tag="text-generation",
        tags=TAGS,
        base_model=base or None,
        datasets=[data] if data else None,
        model_name=f"{found['scenario']}-{pick.digest}",
        eval_results=_results(found, scores[shown], shown) if shown else None,
    )
    lines = [
        f"# {plain(found['scenario'])}: {pick.title}", "",
        plain(found["description"]), "",
        f"Student {plain(pick.digest)}, {_form(form)}, from {_session(run, found)}", *_limited(found),
        "", "## Exams", *(_exams(run, scores, pick) or ["", "It was not examined."]), *_decision(pick),
        *(_control(found) if pick.digest == _final(found) else []),
        "", "## Trained on", *_trained(run, found, pick),
        *_again(run, found, pick.made.dataset if pick.made else None, command), *_versions(run),
    ]  # fmt: skip
    return _card(head, lines)


def data_card(run: Run, found: Json, rows: Sequence[Row], *, file: str, format: str, rejected: bool,
              command: str) -> str:  # fmt: skip
    """The card of a data set.

    Args:
        run: of the session.
        found: the session in figures.
        rows: the samples.
        file: name of the file that holds them.
        format: they are in.
        rejected: whether they are those that were not kept.
        command: makes them again.
    """
    from huggingface_hub import DatasetCardData

    kind = "rejected samples" if rejected else "samples"
    head = DatasetCardData(
        pretty_name=f"{found['scenario']}: {kind} of {run.name}",
        task_categories=["text-generation"],
        size_categories=[next((name for most, name in SIZES if len(rows) < most), LARGE)],
        tags=[*TAGS, "synthetic"],
        configs=[{"config_name": "default", "data_files": [{"split": "train", "path": file}]}],
    )
    why = Counter((row["skill"], str(row["round"]), row["teacher"]) for row in rows)
    reasons = Counter(row["reason"].split(":")[0] for row in rows)
    lines = [
        f"# {plain(found['scenario'])}: {several(len(rows), kind.removesuffix('s'))}", "",
        plain(found["description"]), "",
        f"Written by agents, from {_session(run, found)}", *_limited(found), "",
        f"Format `{format}`. Beside each sample stand {', '.join(f'`{name}`' for name in ORIGIN)}: its id in the run, "
        "what it answers, who wrote it and how, and why it was " + ("turned down." if rejected else "kept."),
        "", "## What is in it", *table(
            ("skill", "round", "teacher", "samples"), [(*key, f"{count:,}") for key, count in sorted(why.items())]
        ),
        *(table(("turned down because", "samples"), reasons.most_common()) if rejected else []),
        "Tasks of the exams, and tasks that were there already, were left out." * (not rejected),
        *_weaknesses(found), *_again(run, found, None, command), *_versions(run),
    ]  # fmt: skip
    return _card(head, lines)


def record_card(run: Run, found: Json, *, kind: str, configs: Mapping[str, str]) -> str:
    """The card of a part of the record.

    Args:
        run: of the session.
        found: the session in figures.
        kind: `trace` or `tables`.
        configs: files by the name under which the Hub's viewer shows them.
    """
    from huggingface_hub import DatasetCardData

    said = {
        "trace": "The steps of the agents as one conversation, which the Hub's trace viewer shows.",
        "tables": "Samples with their fates, answers to probes with their verdicts, training rounds with the decisions "
        "on them, and the spans of every step.",
    }
    head = DatasetCardData(
        pretty_name=f"{found['scenario']}: {kind} of {run.name}",
        tags=[*TAGS, *(["agent-traces"] if kind == "trace" else ["synthetic"])],
        configs=[
            {"config_name": name, "data_files": [{"split": "train", "path": file}]} for name, file in configs.items()
        ],
    )
    lines = [
        f"# {plain(found['scenario'])}: {kind}", "", plain(found["description"]), "",
        f"{said[kind]} From {_session(run, found)}", *_limited(found), *_versions(run),
    ]  # fmt: skip
    return _card(head, lines)


def _card(head: "CardData", lines: Sequence[str]) -> str:
    body = "\n".join(lines)
    while "\n\n\n" in body:
        body = body.replace("\n\n\n", "\n\n")
    return f"---\n{head.to_yaml().strip()}\n---\n\n{body.strip()}\n"


def _results(found: Json, change: Json | None, split: str) -> "list[EvalResult]":
    from huggingface_hub import EvalResult

    assert change is not None
    return [
        EvalResult(
            task_type="text-generation",
            dataset_type=found["scenario"],
            dataset_name=f"{found['scenario']} ({split})",
            metric_type="accuracy",
            metric_name="macro score over the learnable skills",
            metric_value=round(change["after"], 4),
        )
    ]


def _form(form: str) -> str:
    said = {"weights": "all weights", "adapter": "a LoRA adapter", "merged": "a LoRA adapter merged into its base"}
    return said[form]


def _session(run: Run, found: Json) -> str:
    return f"session {plain(run.name)} of Evolvent ({plain(found['status'])})."


def _limited(found: Json) -> list[str]:
    return ["", f"**LIMITED to {found['limited']} per stage: a trial, not a result.**"] if found["limited"] else []


def _final(found: Json) -> str | None:
    return next((d["candidate"] for d in reversed(found["decisions"]) if d["promoted"]), None)


def _exams(run: Run, scores: dict[str, Json | None], pick: Pick) -> list[str]:
    """Every split the student was examined on, skill by skill, beside the first student."""
    lines: list[str] = []
    for split, where in SPLITS.items():
        if (told := scores[split]) is None:
            continue
        lines += ["", f"On {where}: macro score over the learnable skills {_macro(told, pick)}; intervals are 95 %."]
        rows = [
            (skill, "guard" if skill in run.goal.guards else "taught", _rate(each["before"]), _rate(each["after"]),
             points(each["change"]))
            for skill, each in told["skills"].items()
        ]  # fmt: skip
        wide = ("skill", "", "before", "after", "change, points")
        lines += table(wide, rows) if pick.made else table((*wide[:2], "score"), [row[:3] for row in rows])
    return lines


def _macro(told: Json, pick: Pick) -> str:
    if pick.made is None:
        return percent(told["before"])
    test = GRADED if told["test"] == "bootstrap" else EXACT
    change = f"{points(told['change'])} points {between(told['low'], told['high'])}"
    return f"{percent(told['before'])} → {percent(told['after'])}, {change} ({test})"


def _rate(share: Json) -> str:
    return f"{percent(share['rate'])} {within(share['low'], share['high'])}, {share['tried']:,} items"


def _decision(pick: Pick) -> list[str]:
    decision = pick.decision
    if pick.tainted:
        return ["", "**Tainted: it learned from samples that were withdrawn afterwards.**", *_decided(decision)]
    return _decided(decision)


def _decided(decision: Promotion | None) -> list[str]:
    if decision is None:
        return []
    said = "Promoted" if decision.promoted else "Turned down"
    return [
        "", f"{said}: {decision.gained:,} items won and {decision.lost:,} lost against the student before it, "
        f"p = {decision.p_value:.2g} at α = {decision.alpha:.2g}. {plain(decision.reason)}",
        *table(
            ("guard", "loss, points", "upper bound", "allowed"),
            [
                (skill, points(g["loss"]), points(g["upper"]), points(g["margin"]))
                for skill, g in decision.guards.items()
            ],
        ),
    ]  # fmt: skip


def _control(found: Json) -> list[str]:
    control = found["control"]
    if not control:
        return []
    return [
        "", f"Against a twin trained on evenly drawn data ({control['samples']:,} samples, {control['steps']:,} steps, "
        f"here {control['targeted_samples']:,} and {control['targeted_steps']:,}): {points(control['difference'])} "
        f"points {between(control['low'], control['high'])}, {plain(control['verdict'])} ({plain(control['note'])}).",
    ]  # fmt: skip


def _trained(run: Run, found: Json, pick: Pick) -> list[str]:
    made = pick.made
    if made is None:
        return ["", _as_it_began(run)]
    trainer: dict[str, Any] = run.scenario["trainer"]
    return [
        "", f"{several(made.samples, 'sample')} of rounds 1 to {made.number}, {made.steps:,} steps, {made.tokens:,} "
        f"tokens with trainer {plain(trainer['name'])}, from student {plain(made.start)}.",
        *fenced(json.dumps(trainer, indent=2), "json"), *_weaknesses(found),
    ]  # fmt: skip


def _as_it_began(run: Run) -> str:
    """Where a student comes from that the session only started with."""
    if earlier := before(run.session):
        return f"By an earlier session, {plain(Path(str(earlier['dir'])).name)}; nothing that this session wrote."
    if model := run.scenario["student"].get("model"):
        return f"The model {plain(Path(str(model)).name)} as it was brought; nothing that this session wrote."
    return "Its first training alone; nothing that this session wrote."


def _weaknesses(found: Json) -> list[str]:
    rows = [(w["skill"], w["hypothesis"], w["state"], f"{w['samples']:,}") for w in found["weaknesses"]]
    return ["", "What was weak:", *table(("skill", "weakness", "state", "samples"), rows)] if rows else []


def _again(run: Run, found: Json, dataset: str | None, command: str) -> list[str]:
    digests = {"scenario": run.session.scenario, "source": run.session.settings["source"], "training set": dataset}
    said = ", ".join(f"{name} `{plain(value)}`" for name, value in digests.items() if value)
    return ["", "## Make it again", *fenced(command, "sh"), f"Seed {found['seed']}; {said}."]


def _versions(run: Run) -> list[str]:
    told = run.environment
    packages = ", ".join(f"{plain(name)} {plain(version)}" for name, version in told.get("packages", {}).items())
    return ["", f"Made with Python {plain(told.get('python', '?'))} on {plain(told.get('machine', '?'))}: {packages}."]
