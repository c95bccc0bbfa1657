"""A program of the user's that is run once when a session has ended, told where the run is and how it ended.

It is named on the command line or in the user's environment, never in a scenario: that may come from anybody, and what
it could name here would run as the user.
"""

import os
import shlex
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ..memory.errors import UsageError

VARIABLE = "EVOLVENT_ON_END"
"""Variable that names it; the program itself does not see it, or a session that it starts would start it again."""
PATIENCE = 30.0
"""Seconds it may take."""
ENDS = ("finished", "waiting", "spent", "failed")
"""Ends that it is told of; whoever interrupted a session knows."""


@dataclass(frozen=True, slots=True)
class Hook:
    """The program and its arguments; without any nothing is run."""

    words: tuple[str, ...] = ()
    patience: float = PATIENCE

    @classmethod
    def parse(cls, command: str | None) -> Self:
        """Take a command line apart as a shell would, without being one.

        Raises:
            UsageError: a quote is left open, or there is no such program.
        """
        try:
            words = tuple(shlex.split(command or ""))
        except ValueError as error:
            raise UsageError(f"--on-end {command!r}: {str(error).lower()}; quote it as for a shell") from None
        if words and shutil.which(words[0]) is None:
            raise UsageError(f"--on-end: no program {words[0]!r}; no shell runs it, so name a program or a script")
        return cls(words)

    def after(self, run: Path) -> str | None:
        """Run it for a session that has ended; say in one line what was wrong, if anything."""
        from .reports.results import status

        if not self.words or (ended := status(run)) not in ENDS:
            return None
        told = {"EVOLVENT_RUN": str(run.resolve()), "EVOLVENT_STATUS": ended}
        seen = {name: value for name, value in os.environ.items() if name != VARIABLE} | told
        try:
            # standard output belongs to the result
            process = subprocess.Popen(  # noqa: S603 -- the user's own program, without a shell
                self.words, env=seen, stdin=subprocess.DEVNULL, stdout=2, start_new_session=True
            )  # fmt: skip
        except OSError as error:
            return f"--on-end {self.words[0]!r} could not be run: {error.strerror}"
        try:
            code = process.wait(self.patience)
        except subprocess.TimeoutExpired:
            return f"--on-end {self.words[0]!r} was stopped after {self.patience:g} s"
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        return f"--on-end {self.words[0]!r} ended with exit code {code}" if code else None
