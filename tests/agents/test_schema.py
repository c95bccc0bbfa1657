import json
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import evolvent as package
from evolvent.agents.families import FAMILIES
from evolvent.agents.schema import DRAFT, FILE, schema
from evolvent.memory.parts import known

from ..killing import COMMAND, MINI
from .calling import Cli

ROOT = Path(package.__file__).parent
SCENARIOS = [*sorted((ROOT / "scenarios").glob("*.toml")), MINI, MINI.with_name("taught.toml")]
SCHEMA = schema()
CHECKER = jsonschema.Draft202012Validator(SCHEMA)
ENDPOINT = {"name": "openai", "base_url": "http://localhost:8000/v1", "model": "m"}
SUMS: dict[str, Any] = {"name": "sums", "source": "arithmetic", "skills": {"add": {"task": {"operation": "add"}}}}
ROWS: dict[str, Any] = {"source": {"name": "file", "path": "mine.jsonl"}}


def fits(**changes: Any) -> bool:
    return CHECKER.is_valid({**SUMS, **changes})


def test_the_schema_is_one() -> None:
    CHECKER.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == DRAFT


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_every_scenario_that_is_here_fits(path: Path) -> None:
    CHECKER.validate(tomllib.loads(path.read_text()))


@pytest.mark.parametrize(
    "changes",
    [
        {"trainer": "sft"}, {"trainer": {"epochs": 2}}, {"trainer": {"name": "dpo", "beta": 0.2}},
        {"trainer": "my_parts.trainer"}, {"trainer": {"name": "my_parts.trainer", "anything": [1]}},
        {"verifier": {"name": "all_of", "parts": ["numeric", {"name": "regex", "pattern": "x"}]}},
        {"teacher": {"name": "llm", "operators": ["similar", {"name": "rephrase", "weight": 2}]}},
        {"teacher": {"name": "llm", "operators": {"similar": 2, "my_parts.operator": 1}}},
        {"models": {"teacher": ENDPOINT, "judge": {**ENDPOINT, "base_url": ["http://a/v1", "http://b/v1"]}}},
        {"student": {"engine": "vllm"}}, {"student": {"engine": {"name": "vllm", "share": 0.4}}},
        {"curation": {"candidates": 2, "scorer": "ask", "enhancers": ["normalise", {"name": "secrets"}]}},
        {"budget": {"disk": "5 GiB", "usd": 2}}, {"keep": {"checkpoints": 2}}, {"keep": {"checkpoints": "all"}},
        {**ROWS, "skills": {"add": {"task": {"named": "Add", "where": {"level": 2}}}}}, {**ROWS, "skills": {}},
        {"source": "my_parts.source", "skills": {"add": {"task": {"anything": 1}}}},
    ],
    ids=str,
)  # fmt: skip
def test_what_a_scenario_may_say_fits(changes: dict[str, Any]) -> None:
    CHECKER.validate({**SUMS, **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"trainer": "stf"}, {"trainer": {"epoch": 2}}, {"trainer": {"name": "dpo", "epochs": "two"}},
        {"trainer": {"name": "dpo", "tolerance": 1}}, {"verifier": {"name": "all_of"}}, {"verifier": "regex"},
        {"verifier": {"name": "all_of", "parts": ["numerc"]}}, {"models": {"teacher": "openai"}},
        {"models": {"tutor": ENDPOINT}}, {"models": {"judge": {**ENDPOINT, "keys": "K"}}},
        {"teacher": {"name": "llm", "operators": ["similr"]}}, {"teacher": {"name": "llm", "operators": {"similr": 1}}},
        {"teacher": {"name": "llm", "operators": [{"name": "rephrase", "wait": 2}]}},
        {"curation": {"scorer": {"name": "ask", "model": 3}}}, {"curation": {"enhancers": ["normalize"]}},
        {"skills": {"To add": {}}}, {"skills": {"add": {"gaurd": True}}}, {"budget": {"disk": []}},
        {"skills": {"add": {"task": {"operaton": "add"}}}}, {**ROWS, "skills": {"add": {"task": {"operation": "add"}}}},
        {"source": {"name": "file"}}, {"keep": {"checkpoints": "best"}}, {"version": 2}, {"splits": {"probe": 2}},
    ],
    ids=str,
)  # fmt: skip
def test_what_a_scenario_may_not_say_does_not(changes: dict[str, Any]) -> None:
    assert not fits(**changes)


def test_the_installed_program_explains_every_setting_of_every_part(tmp_path: Path) -> None:
    done = subprocess.run([COMMAND, "scenario", "schema"], capture_output=True, check=True, cwd=tmp_path)
    tables = json.loads(done.stdout)["$defs"]
    for family in FAMILIES.values():
        for name in known(family.package):
            table = tables[f"{family.folder.rpartition('.')[2]}.{name}"]
            assert table["properties"]["name"] == {"const": name}
            assert table["additionalProperties"] is False
            assert [
                key for key, said in table["properties"].items() if not {"const", "description"} & said.keys()
            ] == []


def test_the_schema_is_printed_or_written_and_a_new_scenario_points_to_one_beside_it(
    evolvent: Cli, tmp_path: Path
) -> None:
    assert json.loads(evolvent("scenario", "schema").out) == SCHEMA
    evolvent("scenario", "new", "before", "--from", "arithmetic")
    said = evolvent("scenario", "schema", "--output", FILE)
    assert (said.code, said.err) == (0, "")
    assert json.loads((tmp_path / FILE).read_text()) == SCHEMA
    evolvent("scenario", "new", "after", "--from", "arithmetic")
    assert (tmp_path / "after.toml").read_text().startswith(f"#:schema ./{FILE}\n")
    assert "#:schema" not in (tmp_path / "before.toml").read_text()


def test_a_schema_is_not_written_where_there_is_no_folder(evolvent: Cli, tmp_path: Path) -> None:
    said = evolvent("scenario", "schema", "-o", "away/schema.json")
    assert (said.code, said.out) == (2, "")
    assert "--output away/schema.json: no such folder: away" in said.err
    assert list(tmp_path.iterdir()) == []
