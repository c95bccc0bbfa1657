"""What a check found, and for anything that is not as it should be, what to do."""

from typing import Literal, NamedTuple

from .display import visible
from .errors import EvolventError

Level = Literal["ok", "warn", "fail"]
ABOUT = 20
"""Columns of what a finding is about."""


class Finding(NamedTuple):
    """One line of `evolvent doctor`."""

    about: str
    level: Level
    found: str
    remedy: str = ""
    """What to do; empty where nothing is."""

    @classmethod
    def of_error(cls, about: str, error: EvolventError) -> "Finding":
        """A failure; messages end with the way out, behind their last semicolon."""
        found, separator, remedy = str(error).rpartition("; ")
        return cls(about, "fail", found, remedy) if separator else cls(about, "fail", remedy, "see there")

    def line(self) -> str:
        """The finding in one line, safe to show."""
        said = f"{self.found}; {self.remedy}" if self.remedy else self.found
        return f"{self.level:4}  {self.about:{ABOUT}}  {' '.join(visible(said).split())}"
