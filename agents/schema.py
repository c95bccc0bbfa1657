"""The JSON Schema of a scenario, for editors: every table, and every part with its own settings.

A part is told from the others of its family by its name, so an unknown setting is refused and a known one explained.
What only the program can know, such as whether a file is there, is left to `evolvent scenario validate`.
"""

from collections.abc import Mapping
from typing import Any, cast

from pydantic import BaseModel

from ..memory.parts import PartSpec, find, known
from ..scenarios.schema import Scenario
from .families import FAMILIES, Family
from .operator import Portioned

Json = dict[str, Any]

DRAFT = "https://json-schema.org/draft/2020-12/schema"
FILE = "evolvent.schema.json"
"""What the file is called beside scenarios."""
SPEC = PartSpec.__name__
OWN: Json = {"type": "string", "pattern": "\\."}
"""Name of a module of the user's own."""
NULL: Json = {"type": "null"}


def schema() -> Json:
    """Give the schema, Draft 2020-12."""
    builder = _Builder()
    body = builder.model("scenario", Scenario)
    # without skills the teacher finds them
    body["required"] = [name for name in body["required"] if name != "skills"]
    body["properties"]["skills"].pop("minProperties")
    rules = builder.tasks()
    return {"$schema": DRAFT, **body, "title": "Evolvent scenario", "allOf": rules, "$defs": builder.definitions}


class _Builder:
    """Collects definitions, each once."""

    def __init__(self) -> None:
        self.definitions: dict[str, Json] = {}

    def model(self, prefix: str, model: type[BaseModel]) -> Json:
        """What a table may say; the tables inside it become definitions under a prefix."""
        body = model.model_json_schema(ref_template=f"#/$defs/{prefix}.{{model}}")
        inner: dict[str, Json] = body.pop("$defs", {})
        for name, table in inner.items():
            if name not in (SPEC, Portioned.__name__):
                self.definitions[f"{prefix}.{name}"] = self._table(table)
        return self._table(body)

    def tasks(self) -> list[Json]:
        """What a skill's `task` may say, source by source."""
        family = FAMILIES["source"]
        rules: list[Json] = []
        for name in known(family.package):
            wants = find(name, base=family.base, package=family.package, where=name).wants  # type: ignore[attr-defined]  # a family of sources
            if wants is None:
                continue
            self.definitions[f"tasks.{name}"] = self.model(f"tasks.{name}", wants)
            task: Json = {"properties": {"task": {"$ref": f"#/$defs/tasks.{name}"}}}
            table: Json = {"type": "object", "properties": {"name": {"const": name}}, "required": ["name"]}
            chosen: Json = {"anyOf": [{"const": name}, table]}
            rules.append(
                {
                    "if": {"properties": {"source": chosen}, "required": ["source"]},
                    "then": {"properties": {"skills": {"additionalProperties": task}}},
                }
            )
        return rules

    def _table(self, table: Json) -> Json:
        """A table with parts in place of their names, and without what only a program needs."""
        properties: dict[str, Json] = {
            name: self._setting(name, said) for name, said in table.get("properties", {}).items()
        }
        rest = {k: v for k, v in table.items() if k not in ("properties", "title")}
        return {**rest, "properties": properties}

    def _setting(self, name: str, said: Json) -> Json:
        about = {key: said[key] for key in ("description", "default") if key in said}
        if name == "operators":
            return {**about, **self._operators()}
        if SPEC not in str(said):
            return _tidied(said)
        family, default = FAMILIES[name], said.get("default")
        if isinstance(default, Mapping) and "name" in default:
            part = str(cast("Json", default)["name"])
            ways = [{"$ref": self._family(family)}, {"$ref": self._part(family, part)}]
            return {**about, "default": part, "anyOf": ways}
        return _tidied(_replaced(said, self._family(family)))

    def _family(self, family: Family) -> str:
        """Reference to any part of a family, by its name or as a table."""
        place = family.folder.rpartition(".")[2]
        if place not in self.definitions:
            self.definitions[place] = {}  # verifiers are made of verifiers
            names = known(family.package)
            tables: list[Json] = [{"$ref": self._part(family, name), "required": ["name"]} for name in names]
            alone = [name for name in names if not self.definitions[f"{place}.{name}"].get("required")]
            own: Json = {"type": "object", "properties": {"name": OWN}, "required": ["name"]}
            self.definitions[place] = {"anyOf": [{"enum": alone}, *tables, OWN, own]}
        return f"#/$defs/{place}"

    def _part(self, family: Family, name: str) -> str:
        """Reference to the table of one part."""
        place = f"{family.folder.rpartition('.')[2]}.{name}"
        if place not in self.definitions:
            self.definitions[place] = {}
            part = find(name, base=family.base, package=family.package, where=name)
            body = self.model(place, part)
            body["properties"] = {"name": {"const": name}, **body["properties"]}
            self.definitions[place] = body
        return f"#/$defs/{place}"

    def _operators(self) -> Json:
        """A list of operators, by name or as tables with a weight, or a table of weights."""
        family = FAMILIES["operators"]
        weight = _tidied(Portioned.model_json_schema()["properties"]["weight"])
        names, tables = known(family.package), list[Json]()
        for name in names:
            self._part(family, name)
            body = self.definitions[f"operators.{name}"]
            body["properties"] = {**body["properties"], "weight": weight}
            tables.append({"$ref": f"#/$defs/operators.{name}", "required": ["name"]})
        own: Json = {"type": "object", "properties": {"name": OWN}, "required": ["name"]}
        listed: Json = {"type": "array", "items": {"anyOf": [{"enum": names}, *tables, OWN, own]}}
        weighed: Json = {
            "type": "object",
            "properties": dict.fromkeys(names, weight),
            "patternProperties": {OWN["pattern"]: weight},
            "additionalProperties": False,
        }
        return {"anyOf": [listed, weighed]}


def _replaced(said: Any, reference: str) -> Any:
    """The same, with references to a part in general replaced by one to its family."""
    if isinstance(said, list):
        return [_replaced(one, reference) for one in cast("list[Any]", said)]
    if not isinstance(said, dict):
        return said
    given = cast("Json", said)
    if str(given.get("$ref", "")).endswith(f".{SPEC}"):
        return {**given, "$ref": reference}
    return {key: _replaced(value, reference) for key, value in given.items()}


def _tidied(said: Any) -> Any:
    """The same without titles, without null, which TOML does not have, and without defaults that are whole tables."""
    if isinstance(said, list):
        return [_tidied(one) for one in cast("list[Any]", said) if one != NULL]
    if not isinstance(said, dict):
        return said
    given = cast("Json", said)
    dropped = {"title", "gt"} | ({"default"} if isinstance(given.get("default"), (dict, type(None))) else set())
    kept = {key: _tidied(value) for key, value in given.items() if key not in dropped}
    if "patternProperties" in kept:
        kept["additionalProperties"] = False
    ways = kept.get("anyOf")
    return {**{k: v for k, v in kept.items() if k != "anyOf"}, **ways[0]} if ways and len(ways) == 1 else kept
