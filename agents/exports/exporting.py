"""What leaves a run: samples or a student, with a card, as a file or folder that is whole or not there."""

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from ...memory import files
from ...memory.errors import UsageError
from ...memory.reading import Run
from ..quiet import quiet
from ..reports.results import result
from ..reports.summary import Json, command
from . import cards, dataset
from .pick import pick, scores

MARK = "evolvent.json"
"""In every exported folder: where it comes from; what does not have it is never replaced."""
CARD = "README.md"
SCENARIO = "scenario.toml"
DATA = (".json", ".jsonl", ".parquet")
"""Endings that make a target a file instead of a folder."""


def export_data(run: Run, format: dataset.Format, target: Path, *, rejected: bool, force: bool) -> Json:
    """Write samples as a file with its card beside it, or as a folder that holds both.

    Raises:
        UsageError: there are none, or the target is taken or does not fit.
    """
    rows = dataset.samples(run, rejected=rejected)
    if not rows:
        raise UsageError(f"{run.name}: no {'rejected' if rejected else 'kept'} samples to export")
    found, single = result(run.path), target.suffix in DATA
    if single and (target.suffix == ".parquet") != (dataset.ending(format) == ".parquet"):
        raise UsageError(f"--out {str(target)!r}: format {format!r} ends with {dataset.ending(format)!r}")
    name = target.name if single else f"train{dataset.ending(format)}"
    with staged(target, force=force, single=single) as staging:
        dataset.write(rows, format, staging / name)
        card = cards.data_card(
            run, found, rows, file=name, format=format, rejected=rejected, command=_command(run, staging, single=single)
        )
        files.write_text(staging / CARD, card)
        facts = {"export": "data", "format": format, "samples": len(rows), "rejected": rejected}
        mark(run, staging, facts)
    return {"event": "export", "run": run.name, **facts, "out": str(target)}


def export_model(
    run: Run, which: str, target: Path, *, merge: bool, base: str, force: bool, data: str = "", tainted: bool = False
) -> Json:
    """Write a student as a folder with its card.

    Args:
        run: of the session.
        which: see `pick`.
        target: folder.
        merge: merge an adapter into its base.
        base: what the base of an adapter is called where it will be used.
        force: replace an earlier export.
        data: data set on the Hub that the card names.
        tainted: whether it may have learned from what was withdrawn.

    Raises:
        UsageError: there is no such student, or the target is taken.
        RunError: the student is damaged.
    """
    from ...training.release import release

    quiet()
    chosen, found = pick(run, which, tainted=tainted), result(run.path)
    form = "weights" if not chosen.adapter else "merged" if merge else "adapter"
    with staged(target, force=force, single=False) as staging:
        release(chosen.path, staging, merge=merge, base=base)
        card = cards.model_card(
            run, found, chosen, scores(run, chosen), form=form, base=base, data=data,
            command=_command(run, staging, single=False),
        )  # fmt: skip
        files.write_text(staging / CARD, card)
        facts = {
            "export": "model",
            "student": chosen.digest,
            "form": form,
            **({"tainted": True} if chosen.tainted else {}),
        }
        mark(run, staging, facts)
    return {"event": "export", "run": run.name, **facts, "out": str(target)}


def _command(run: Run, staging: Path, *, single: bool) -> str:
    """The command that makes it again; a folder holds the scenario that it names."""
    if single or not (run.path / SCENARIO).is_file():
        return command(run.session)
    shutil.copyfile(run.path / SCENARIO, staging / SCENARIO)
    return command(run.session, file=SCENARIO)


def mark(run: Run, staging: Path, facts: Json) -> None:
    """Say in the folder where it comes from, so that a later export may replace it."""
    settings = {"run": run.name, "scenario": run.session.scenario, "seed": run.session.seed}
    files.write_json(staging / MARK, {**facts, **settings})


@contextmanager
def staged(target: Path, *, force: bool, single: bool) -> Generator[Path]:
    """A folder to write into, which becomes the target when all is written.

    Raises:
        UsageError: the target is taken, or cannot be written.
    """
    beside = target.with_suffix(".md")
    for taken in (target, beside) if single else (target,):
        _refuse(taken, force=force, single=single)
    staging = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        staging.mkdir(parents=True)
        yield staging
        if single:
            (staging / CARD).replace(beside)
            (staging / target.name).replace(target)
        else:
            _replace(staging, target)
    except OSError as error:
        raise UsageError(f"{target}: cannot be written ({error.strerror}); choose another place with --out") from None
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _refuse(target: Path, *, force: bool, single: bool) -> None:
    if not os.path.lexists(target) or (target.is_dir() and not single and not any(target.iterdir())):
        return
    if not force:
        raise UsageError(f"{target}: exists already; choose another place, or replace it with --force")
    if target.is_symlink() or target.is_dir() != (not single) or (not single and not (target / MARK).is_file()):
        raise UsageError(f"{target}: was not written by an export and is not replaced; choose another place")


def _replace(staging: Path, target: Path) -> None:
    """Put a folder in place of another; the old one goes only when the new one is there."""
    old = target.with_name(f".{target.name}.{os.getpid()}.old")
    if target.exists():
        target.replace(old)
    staging.replace(target)
    files.sync_folder(target.parent)
    shutil.rmtree(old, ignore_errors=True)
