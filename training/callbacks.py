"""What happens between two steps of a training: a signal is heeded, and figures are written as they come."""

import json
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from ..memory.stopping import STOP


class Heeding(TrainerCallback):
    """Stops between two steps when that was asked for."""

    def on_step_end(self, *_: Any, **__: Any) -> None:
        """Raise if a signal asked to stop."""
        STOP.heed()


class Streaming(TrainerCallback):
    """Adds every entry of the log that has a loss to the metrics file, so that whoever waits can read along."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Begin a new file."""
        if state.is_world_process_zero:
            self.path.write_text("")

    def on_log(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Write the newest entry."""
        entry = state.log_history[-1]
        if "loss" in entry and state.is_world_process_zero:
            with self.path.open("a") as file:
                file.write(json.dumps(entry) + "\n")
