"""One round of training as a program: `python -m evolvent.training.round FOLDER`.

It reads its order in the folder and leaves there what came of it, as training in this process does; it never opens a
ledger. A launcher may start it several times: all of them train, the first one writes.
"""

import sys
import traceback
from contextlib import nullcontext
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

from ..memory import files
from ..memory.errors import EvolventError
from ..memory.lock import Lock
from ..memory.parts import Part, PartSpec, load
from ..scenarios.verifier import Verifier
from . import ranks
from .trainer import Trained, Trainer, write_result

ORDER = "order.json"
FAILURE = "failure"
"""What went wrong, in one line; not there where a process was killed."""

P = TypeVar("P", bound=Part)


class Order(BaseModel):
    """What a process is to train."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    trainer: PartSpec
    verifier: PartSpec
    start: Path
    """Checkpoint to start from."""
    seed: int
    steps: int | None = None

    def carry_out(self, folder: Path) -> Trained:
        """Train in a folder, exactly as the session would."""
        trainer = _find(self.trainer, Trainer, "trainers", where=str(folder))
        verifier = _find(self.verifier, Verifier, "verifiers", where=str(folder))
        return trainer.train(folder, start=self.start, seed=self.seed, steps=self.steps, verifier=verifier)


def _find(spec: PartSpec, base: type[P], parts: str, *, where: str) -> P:
    """Build a part; whoever wrote the order was allowed to load it, one of another package too."""
    room = base.__module__.rpartition(".")[0]
    return load(spec, base=base, package=f"{room}.{parts}", where=where, allow_import=True)


def main(folder: Path) -> int:
    """Carry out the order in a folder; give the exit code."""
    try:
        order = Order.model_validate_json((folder / ORDER).read_text())
        with Lock(folder) if ranks.first() else nullcontext():
            trained = order.carry_out(folder)
            if ranks.first():
                # the result is the last word: what it speaks of is on the disk before it
                files.sync(folder)
                write_result(folder, trained)
    except Exception as error:
        said = str(error) if isinstance(error, EvolventError) else f"{type(error).__name__}: {error}"
        traceback.print_exc()
        files.write_text(folder / FAILURE, " ".join(said.split()))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
