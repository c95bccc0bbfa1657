"""Tasks from a JSON Lines or Parquet file of your own, one row a task.

The file is read once and kept by path, time, size and columns.
"""

from pydantic import Field

from ..rows import Columns
from ..tabular import Filed


class File(Filed):
    """Rows of a JSON Lines (`.jsonl`) or Parquet (`.parquet`) file."""

    prompt: str = "prompt"
    """Column of the question."""
    answer: str = "answer"
    """Column of the reference answer."""
    messages: str = Field(default="messages", exclude_if=lambda column: column == "messages")
    """Column of a conversation whose last turn is the reference answer; read in rows that have no prompt column."""
    tools: str = Field(default="tools", exclude_if=lambda column: column == "tools")
    """Column of the functions that may be called in a conversation."""

    def columns(self) -> Columns:
        """Say which column holds what."""
        return Columns(
            prompt=self.prompt,
            answer=self.answer,
            skill=self.skill,
            key=self.key,
            prose=self.prose,
            document=self.context,
            messages=self.messages,
            tools=self.tools,
            checks=self.checks,
        )
