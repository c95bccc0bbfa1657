"""What an exam says of one skill."""

from pydantic import BaseModel, ConfigDict, Field


class Score(BaseModel):
    """How many items of one skill were right, and what they scored."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    passed: int
    tried: int
    total: float | None = Field(default=None, exclude_if=lambda total: total is None)
    """Sum of the scores, where any is between 0 and 1; kept out of the record where `passed` says it all."""

    @property
    def rate(self) -> float:
        """Mean score, in [0, 1]: the pass rate where nothing is graded."""
        return (self.passed if self.total is None else self.total) / self.tried
