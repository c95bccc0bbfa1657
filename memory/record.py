"""What every record has: it is frozen, and its id is the hash of its content."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict

from .files import digest


class Record(BaseModel):
    """Something the ledger keeps for ever."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    kind: ClassVar[str] = "record"
    filed: ClassVar[tuple[str | None, str | None]] = (None, None)
    """Fields the ledger finds it by: its round, and what it is about."""

    @cached_property
    def id(self) -> str:
        """Sixteen hexadecimal digits of the sha256 of kind and content."""
        return digest([self.kind, self.model_dump(mode="json")])

    @property
    def at(self) -> int | None:
        """Round it is filed under."""
        return vars(self)[self.filed[0]] if self.filed[0] else None

    @property
    def about(self) -> str | None:
        """Skill, weakness, sample, split or arm it is filed under."""
        return vars(self)[self.filed[1]] if self.filed[1] else None

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Copy with changes; the copy gets an id of its own."""
        copy = super().model_copy(update=update, deep=deep)
        vars(copy).pop("id", None)
        return copy

    @classmethod
    def read(cls, body: str) -> Self:
        """Rebuild a record from its stored JSON."""
        return cls.model_validate_json(body)
