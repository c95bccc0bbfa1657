"""The tasks behind an exam, drawn again from the scenario a run was begun with: an exam itself keeps only results."""

from pathlib import Path

from ...memory.errors import RunError
from ...memory.parts import load
from ...memory.records import Split, Task
from ...scenarios.source import Source
from ...scenarios.splits import Splits
from ..discovering import as_found
from ..folder import begun, opened


def tasks(run: Path, split: Split, *, allow_import: bool = False) -> list[Task]:
    """Give the items of an exam in its order.

    Args:
        run: folder of the run.
        split: `select`, `guard` or `report`.
        allow_import: whether its source may be a module of the user's own.

    Raises:
        RunError: not a run, or its data changed since.
        PartError: its source is a module of the user's own, which nobody loads unasked.
    """
    scenario, session = begun(run)
    package = f"{__name__.rpartition('.agents')[0]}.scenarios.sources"
    where = str(run / "scenario.resolved.json")
    source = load(scenario.source, base=Source, package=package, where=where, allow_import=allow_import)
    if source.fingerprint() != session.settings["source"]:
        raise RunError(f"{run}: the data behind source {source.name!r} changed since; the tasks cannot be drawn again")
    splits = Splits(scenario, as_found(source, run), session.seed, opened(run, session))
    return splits.items(split, limit=session.limit)
