"""A part: one frozen pydantic class in one file. Its fields are its settings, its methods do the work.

A scenario names a part by its file name; `load` finds the file, builds the class and explains what is wrong.
There is no registry: the folder is the list.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from typing import Any, ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import ErrorDetails

from .errors import PartError, suggest

EXPLAINED = 10
"""Mistakes that one message lists."""
SHOWN = 200
"""Characters of a value in a message."""


class Part(BaseModel):
    """Base of every part: frozen, stateless, its fields are its settings."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    kind: ClassVar[str] = "part"
    """What this family of parts is called in messages."""

    @property
    def name(self) -> str:
        """Name a scenario uses: the file the part lives in."""
        return type(self).__module__.rpartition(".")[2]

    def rests_on(self) -> Mapping[str, str]:
        """Digests of what it reads beside its settings and what it is given, by name."""
        return {}

    def describe(self) -> dict[str, Any]:
        """Name and settings, for hashes and reports."""
        return {"name": self.name, **self.model_dump(mode="json")}


class PartSpec(BaseModel):
    """A part as a scenario writes it: `"exact"`, or a table with `name` and its settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    settings: Mapping[str, Any] = {}

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"name": value}
        if isinstance(value, Mapping) and "settings" not in value:
            settings = {str(k): v for k, v in value.items() if k != "name"}
            return {"name": value.get("name"), "settings": settings} if "name" in value else {"settings": settings}
        return value

    def with_settings(self, **settings: Any) -> Self:
        """Give the same part with some settings replaced."""
        return self.model_copy(update={"settings": {**self.settings, **settings}})


P = TypeVar("P", bound=Part)


def known(package: str) -> list[str]:
    """Names of the parts in a package, sorted."""
    module = importlib.import_module(package)
    return sorted(m.name for m in pkgutil.iter_modules(module.__path__) if not m.name.startswith("_"))


def find(name: str, *, base: type[P], package: str, where: str, allow_import: bool = False) -> type[P]:
    """Find the class of a part.

    Args:
        name: a file of `package`, or with `allow_import` a dotted module of the user's own.
        base: the family's base class.
        package: full name of the folder the family lives in.
        where: file and key, for messages.
        allow_import: load dotted names, which runs that module's code.

    Raises:
        PartError: no such part, or a dotted name without permission.
    """
    if "." in name:
        if not allow_import:
            raise PartError(f"{where}: {base.kind} {name!r} is a module of your own; allow it with --allow-import")
        try:
            module = importlib.import_module(name)
        except ImportError as error:
            raise PartError(f"{where}: {base.kind} {name!r} cannot be imported: {error}") from error
    else:
        names = known(package)
        if name not in names:
            listed = ", ".join(names)
            raise PartError(f"{where}: no {base.kind} called {name!r}; known: {listed}{suggest(name, names)}")
        module = importlib.import_module(f"{package}.{name}")
    found = [
        c
        for _, c in inspect.getmembers(module, inspect.isclass)
        if issubclass(c, base) and c.__module__ == module.__name__
    ]
    if len(found) != 1:
        raise PartError(f"{where}: {module.__name__} holds {len(found)} classes of kind {base.kind}; it must hold one")
    return found[0]


def load(spec: PartSpec, *, base: type[P], package: str, where: str, allow_import: bool = False) -> P:
    """Find and build a part; see `find`.

    Raises:
        PartError: no such part, or a setting it does not take.
    """
    part = find(spec.name, base=base, package=package, where=where, allow_import=allow_import)
    try:
        return part.model_validate(dict(spec.settings))
    except ValidationError as error:
        raise PartError(explain(error, where=f"{where}: {base.kind} {spec.name!r}", model=part)) from None


def explain(error: ValidationError, *, where: str, model: type[BaseModel]) -> str:
    """Say everything that is wrong in one line, with key paths and the nearest valid names; a long list is cut."""
    wrong = error.errors(include_url=False)
    said = list(dict.fromkeys(_explain(one, model) for one in wrong[:EXPLAINED]))
    more = [f"and {len(wrong) - EXPLAINED} more"] if len(wrong) > EXPLAINED else []
    return where + "; ".join([said[0], *(text.removeprefix(":").strip() for text in said[1:]), *more])


def _explain(one: ErrorDetails, model: type[BaseModel]) -> str:
    """What follows the place: ` needs 'name'`, ` has no setting …` or `: key.path: …`."""
    path = [str(p) for p in one["loc"]]
    if one["type"] == "extra_forbidden":
        names = _names_at(model, path[:-1])
        under = f" in {'.'.join(path[:-1])!r}" if path[:-1] else ""
        listed = f"; known: {', '.join(names)}" if names else ""
        return f" has no setting {path[-1]!r}{under}{suggest(path[-1], names)}{listed}"
    if one["type"] == "missing":
        return f" needs {'.'.join(path)!r}"
    message = one["msg"].removeprefix("Value error, ")
    given = "" if one["type"] == "value_error" else f", not {_cut(one['input'])}"
    return f": {'.'.join(path) or 'value'}: {message[:1].lower()}{message[1:]}{given}"


def _cut(value: object) -> str:
    """Show a value, but not a page of it."""
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def _names_at(model: type[BaseModel], path: list[str]) -> list[str]:
    """Field names of the model that a key path leads into."""
    current: type[BaseModel] | None = model
    for key in path:
        if current is None:
            return []
        field = current.model_fields.get(key)
        if field is not None:
            current = _model_in(field.annotation)
    return sorted(current.model_fields) if current else []


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Find the model inside an annotation such as `dict[str, Skill]`."""
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        if (model := _model_in(inner)) is not None:
            return model
    return None
