"""What every table of a scenario has in common."""

from typing import Any, cast

from pydantic import BaseModel, ConfigDict, model_validator

from ..memory.parts import PartSpec


class Section(BaseModel):
    """Base of every table of a scenario: frozen, unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    @model_validator(mode="before")
    @classmethod
    def _settings_of_default_parts(cls, value: Any) -> Any:
        """Let `[trainer]` without a name mean the default trainer."""
        if not isinstance(value, dict):
            return value
        given = dict(cast("dict[str, Any]", value))
        for name, field in cls.model_fields.items():
            table = given.get(name)
            if isinstance(field.default, PartSpec) and isinstance(table, dict) and "name" not in table:
                given[name] = {"name": field.default.name, **cast("dict[str, Any]", table)}
        return given
