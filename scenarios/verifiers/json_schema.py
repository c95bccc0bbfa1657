"""The answer is JSON that fits a schema and says what the reference says."""

from typing import Any, Literal

from pydantic import field_validator

from ...memory.records import Task, Verdict
from ..plain import canonical, fenced, read_json
from ..verifier import Verifier

LONGEST = 200_000
"""Characters of an answer beyond which it is not read: a schema's patterns may be slow on a hostile text."""
SHOWN = 200


class JsonSchema(Verifier):
    """Read the answer, alone or as a block of Markdown, check it against the schema and compare it.

    A task's own schema, as JSON in its `checks`, goes before the setting. Draft 2020-12 unless `$schema` says
    otherwise; `$ref` reaches within the schema alone, nothing is fetched.
    """

    definition: dict[str, Any] | None = None
    """The JSON Schema of every task that has none of its own; without either, any JSON fits."""
    compare: Literal["equal", "contains", "none"] = "equal"
    """With the reference: `equal` as JSON, `contains` all of its names and elements and maybe more, or not at all."""

    @field_validator("definition")
    @classmethod
    def _is_schema(cls, definition: dict[str, Any] | None) -> dict[str, Any] | None:
        if definition is not None:
            _validator(definition)
        return definition

    def judge(self, task: Task, answer: str) -> Verdict:
        """Score 1 when it fits and says the same.

        Raises:
            ValueError: the task's schema is none, or its reference does not fit.
        """
        schema = self._schema(task)
        wanted = None
        if self.compare != "none":
            wanted, wrong = _read(task.answer, schema)
            if wrong:
                raise ValueError(f"task {task.key!r}: its reference answer {wrong}")
        given, wrong = _read(answer, schema)
        if wrong:
            return Verdict(score=0.0, reason=wrong)
        if self.compare == "none" or canonical(given) == canonical(wanted):
            return Verdict(score=1.0)
        if self.compare == "contains" and _contains(given, wanted):
            return Verdict(score=1.0)
        return Verdict(score=0.0, reason=f"expected {canonical(wanted)[:SHOWN]}, got {canonical(given)[:SHOWN]}")

    def _schema(self, task: Task) -> dict[str, Any] | bool:
        if not task.checks.strip():
            return True if self.definition is None else self.definition
        try:
            schema = read_json(task.checks)
            if not isinstance(schema, dict | bool):
                raise ValueError("it is no object")
            _validator(schema)
        except ValueError as error:
            raise ValueError(f"task {task.key!r}: its checks are no JSON Schema: {error}") from None
        return schema


def _validator(schema: dict[str, Any] | bool) -> Any:
    """Build a validator that fetches nothing.

    Raises:
        ValueError: it is no schema.
    """
    from jsonschema import SchemaError
    from jsonschema.validators import Draft202012Validator, validator_for
    from referencing import Registry

    kind: Any = validator_for(schema, default=Draft202012Validator)
    try:
        kind.check_schema(schema)
    except SchemaError as error:
        raise ValueError(f"not a JSON Schema: {error.message[:SHOWN]}") from None
    return kind(schema, registry=Registry())


def _read(text: str, schema: dict[str, Any] | bool) -> tuple[Any, str]:
    """Give a value, and what is wrong with it if anything is."""
    from referencing.exceptions import Unresolvable

    if len(text) > LONGEST:
        return None, f"is longer than {LONGEST:,} characters"
    try:
        value = read_json(fenced(text, "json"))
    except ValueError as error:
        return None, f"is no JSON ({error}): {text[:SHOWN]!r}"
    try:
        wrong = next(iter(_validator(schema).iter_errors(value)), None)
    except Unresolvable as error:
        raise ValueError(f"the schema refers to {error.ref!r}, which is not within it") from None
    except RecursionError:
        return None, "is nested too deep"
    return (value, "") if wrong is None else (None, f"does not fit at {wrong.json_path}: {wrong.message[:SHOWN]}")


def _contains(whole: Any, part: Any) -> bool:
    """Whether all of a part's names and elements are in the whole; each element of a list stands for one."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(n in whole and _contains(whole[n], v) for n, v in part.items())
    if not isinstance(part, list):
        return canonical(whole) == canonical(part)
    if not isinstance(whole, list):
        return False
    left = list(whole)
    for each in part:
        found = next((place for place, other in enumerate(left) if _contains(other, each)), None)
        if found is None:
            return False
        del left[found]
    return True
