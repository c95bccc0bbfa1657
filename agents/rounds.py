"""Training one round of either arm, exactly once, and what its folder holds."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

from ..memory.effects import Outcome
from ..memory.records import Arm, Critique, Fate, Record, Round, Sample
from ..memory.trace import spent
from ..training import checkpoint, lease
from ..training.repetition import Repetition, foresee
from ..training.round import Order
from ..training.serving.host import resting
from ..training.trainer import MODEL, read_metrics, read_result, write_result, write_rows
from ..training.tries import read_tries, right_answers, try_out, write_tries
from .desk import Desk, hash_samples, seed_of
from .selecting import arrange


async def train_round(
    desk: Desk,
    number: int,
    samples: Sequence[Sample],
    *,
    arm: Arm,
    start: str,
    student: str = "",
    at: int | None = None,
    steps: int | None = None,
    history: Mapping[str, Sequence[Record]] | None = None,
) -> dict[str, Any]:
    """Train on samples and record the round; a round that was finished before is adopted, not trained again.

    Args:
        desk: where.
        number: number of the round.
        samples: what to train on; their order does not matter.
        arm: which arm the round belongs to.
        start: folder of the student to start from, relative to the run.
        student: folder of the promoted student, relative to the run, where the scenario's orderer is to order them.
        at: round of the session whose probes and students the orderer's scorer looks at; without it `number`.
        steps: optimiser steps, if they are not to follow from the samples.
        history: the round's candidates, fates and critiques (evenly drawn data have none), kept beside the data.
    """
    target, trainer, how = desk.folder(number, arm), desk.parts.trainer, desk.scenario.train
    dataset = hash_samples(samples)
    seed = seed_of(desk, "train", number)
    orderer = desk.parts.curators.orderer if student else None

    async def prepare(folder: Path) -> None:
        with spent("curation"):
            ordered = sorted(samples, key=lambda s: s.id)
            if orderer is None:
                Random(seed).shuffle(ordered)
            else:
                ordered = await arrange(ordered, desk, round=at or number, student=student, seed=seed)
            rows = [(s.id, s.task.prompt, s.completion) for s in ordered]
            kept = orderer is not None and orderer.kept
            write_rows(folder, rows, tasks=[s.task for s in ordered], ordered=kept)
            if history is not None:
                _write_history(folder / "data", history)
        if trainer.draws:
            engine = desk.parts.engine.open(desk.path(start))
            asked = [(s.id, s.task, s.completion) for s in ordered]
            tries = await try_out(
                engine, asked, desk.parts.verifier, longest=desk.longest, draws=trainer.draws, models=desk.models
            )
            write_tries(folder, tries)
            engine.close()

    async def work(folder: Path) -> None:
        if not lease.left(folder):
            await prepare(folder)
        async with resting():
            if how.process == "child":
                spec = desk.scenario
                order = Order(
                    trainer=spec.trainer,
                    verifier=spec.verifier,
                    start=desk.path(start).resolve(),
                    seed=seed,
                    steps=steps,
                )
                await lease.train(folder, order, launch=how.launch)
            else:
                write_result(
                    folder,
                    trainer.train(folder, start=desk.path(start), seed=seed, steps=steps, verifier=desk.parts.verifier),
                )

    def read(folder: Path) -> Outcome:
        done = read_result(folder)
        round = Round(
            number=number,
            arm=arm,
            start=checkpoint.identify(desk.path(start)),
            checkpoint=checkpoint.identify(folder / MODEL),
            path=(folder / MODEL).relative_to(desk.run).as_posix(),
            dataset=dataset,
            samples=len(samples),
            steps=done.steps,
            tokens=done.tokens,
            loss=done.loss,
        )
        result = {
            **round.model_dump(include={"checkpoint", "path", "samples", "steps", "loss"}),
            "seconds": done.seconds,
            "metrics": read_metrics(folder),
            "repetition": _repetition(desk, folder, round).alarm,
            **({"solved": len(right_answers(read_tries(folder)))} if trainer.draws else {}),
        }
        return Outcome(result, [round])

    inputs = {
        "dataset": dataset,
        "start": start,
        "seed": seed,
        "steps": steps,
        "trainer": trainer.describe(),
        **trainer.rests_on(),
        **({"orderer": orderer.describe()} if orderer else {}),
    }
    keep = lease.left if how.process == "child" else None
    return await desk.effects.folder(f"train {arm}", number, work, read, target=target, inputs=inputs, keep=keep)


def _repetition(desk: Desk, folder: Path, made: Round) -> Repetition:
    """How often a round trained on the same tokens, and what that is worth for a student of its size."""
    passes = desk.parts.trainer.passes(made.samples)
    return foresee(round(made.tokens / max(1.0, passes)), checkpoint.trained(folder / MODEL), passes)


def steps_behind(model: Round, rounds: Sequence[Round]) -> int:
    """Optimiser steps between the first student and what a round made; rounds it does not build on do not count.

    Args:
        model: the round.
        rounds: all rounds of its arm.
    """
    steps, start = model.steps, model.start
    for earlier in sorted((r for r in rounds if r.number < model.number), key=lambda r: -r.number):
        if earlier.checkpoint == start:
            steps, start = steps + earlier.steps, earlier.start
    return steps


def _write_history(folder: Path, history: Mapping[str, Sequence[Record]]) -> None:
    """Write candidates, accepted and rejected samples as Parquet, for people and other tools."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    fates = {f.sample: f for f in history["fates"] if isinstance(f, Fate)}
    critiques = {c.sample: c for c in history["critiques"] if isinstance(c, Critique)}
    rows = [
        {
            "sample": s.id,
            "skill": s.task.skill,
            "prompt": s.task.prompt,
            "completion": s.completion,
            "weakness": s.weakness,
            "failures": list(s.failures),
            "teacher": s.teacher,
            "recipe": s.recipe,
            "operator": s.origin.operator if s.origin else None,
            "critique": critiques[s.id].reason if s.id in critiques else None,
            "kept": fates[s.id].kept,
            "reason": fates[s.id].reason,
        }
        for s in history["candidates"]
        if isinstance(s, Sample)
    ]
    schema = pa.schema(
        [
            (k, pa.list_(pa.string()) if k == "failures" else pa.bool_() if k == "kept" else pa.string())
            for k in (rows[0] if rows else {})
        ]
    )
    wanted = {
        "candidates": rows,
        "accepted": [r for r in rows if r["kept"]],
        "rejected": [r for r in rows if not r["kept"]],
    }
    for name, part in wanted.items():
        pq.write_table(pa.Table.from_pylist(part, schema=schema), folder / f"{name}.parquet", write_page_checksum=True)
