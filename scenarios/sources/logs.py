"""Tasks from the logs of a model in use: what its users corrected or liked, with their word as the reference.

Disliked answers that nobody corrected are no tasks: an exam needs a right answer, and there is none. How many they are
is said with every scenario that is validated.
"""

from pydantic import Field

from ..feedback import REFERENCE, Fields, Log, said, settle
from ..rows import Columns, Reader
from ..tabular import Filed


class Logs(Filed):
    """Rows of a JSON Lines (`.jsonl`) or Parquet (`.parquet`) log: question, answer, feedback, correction."""

    prompt: str = "prompt"
    """Column of the question."""
    messages: str = "messages"
    """Column of a conversation, in rows that have no prompt column; its last turn may be the answer."""
    tools: str = "tools"
    """Column of the functions that may be called in a conversation."""
    response: str = "response"
    """Column of what the model answered."""
    feedback: str = "feedback"
    """Column of what a user thought; a skill takes its rows by `where = { feedback = "down" }`, or `"up"`."""
    correction: str = "correction"
    """Column of what should have been answered; it is the reference wherever it holds something."""
    up: tuple[str, ...] = Field(default=(), exclude_if=lambda words: not words)
    """More spellings of a thumb up."""
    down: tuple[str, ...] = Field(default=(), exclude_if=lambda words: not words)
    """More spellings of a thumb down."""
    skill: str = ""
    """Column that names the skill; empty when every skill takes its rows by `where` alone."""

    @property
    def reader(self) -> Reader:
        """How its rows are read: those with a reference, one a task."""
        return Log(self._fields(), self.place().stat().st_mtime_ns)

    def columns(self) -> Columns:
        """Say which column holds what."""
        return Columns(
            prompt=self.prompt,
            answer=REFERENCE,
            skill=self.skill,
            key=self.key,
            prose=self.prose,
            document=self.context,
            messages=self.messages,
            tools=self.tools,
            checks=self.checks,
        )

    def remarks(self) -> tuple[str, ...]:
        """Say which rows are no tasks, and why."""
        path = self.place()
        found = settle(str(path.absolute()), path.stat().st_mtime_ns, self._fields())
        if not found.left:
            return ()
        return (f"{self.path}: {len(found.rows):,} of {found.read:,} rows are tasks; left out: {said(found)}",)

    def _fields(self) -> Fields:
        return Fields(
            prompt=self.prompt,
            messages=self.messages,
            response=self.response,
            feedback=self.feedback,
            correction=self.correction,
            key=self.key,
            tools=self.tools,
            prose=self.prose,
            up=self.up,
            down=self.down,
        )
