"""Scorers that have a model read samples: the student of the round, or one that is named."""

from pydantic import Field

from .likelihood import Reader, find
from .pool import Context, Need
from .scorer import Scorer


class Reading(Scorer):
    """Base of scorers by likelihood."""

    model: str = ""
    """Folder or hub id of the model that reads; empty for the student of the round."""
    revision: str = Field(default="", pattern=r"^([0-9a-f]{40})?$")
    """Commit of a model on the hub."""

    @property
    def needs(self) -> frozenset[Need]:  # pyright: ignore[reportIncompatibleVariableOverride] -- what is needed depends on a setting
        """A student, unless another model is named."""
        return frozenset() if self.model else frozenset({"student"})

    def reader(self, context: Context) -> Reader:
        """The model that reads.

        Raises:
            UnavailableError: it is not there.
        """
        return Reader.open(find(self.model, self.revision, context.student))
