import json
import os
import subprocess
import tomllib
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from evolvent.agents import planning
from evolvent.agents.families import FAMILIES
from evolvent.agents.schema import schema
from evolvent.memory.errors import EvolventError, UsageError
from evolvent.memory.stopping import STOP
from evolvent.scenarios import loader

from ..agents.calling import Said, call
from ..killing import COMMAND

GOOD = """\
name = "sums"
verifier = "numeric"
teacher = "program"

[source]
name = "file"
path = "tasks.jsonl"
procedural = true

[skills.plain]
guard = true

[skills.carry]
learnable = true

[splits]
select = 20
guard = 20
sealed = 20

[probe]
least = 8
most = 8
aimed = 8

[rounds]
most = 1
samples = 40

[trainer]
epochs = 1
"""
Rows = Sequence[Mapping[str, Any]]
ROWS: Rows = [
    {"prompt": f"{n}+{n % 7}", "answer": n + n % 7, "skill": "carry" if n % 2 else "plain"} for n in range(900)
]


def lay(folder: Path, text: str | bytes = GOOD, rows: Rows | bytes = ROWS) -> Path:
    """Write a scenario and its tasks."""
    lines = rows if isinstance(rows, bytes) else "".join(json.dumps(row) + "\n" for row in rows).encode()
    (folder / "tasks.jsonl").write_bytes(lines)
    path = folder / "scenario.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def put(**changes: str) -> str:
    """The good scenario with lines replaced: `{old: new}`, where every old one is there."""
    text = GOOD
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new, 1)
    return text


def swap(old: str, new: str) -> str:
    return put(**{old: new})


def add(more: str) -> str:
    return f"{GOOD}\n{more}\n"


def rows(change: Callable[[int, dict[str, Any]], Any]) -> Rows:
    """The rows, each changed."""
    return [change(n, dict(row)) for n, row in enumerate(ROWS)]


def row(at: int, **values: Any) -> Rows:
    """The rows with one changed."""
    return rows(lambda n, one: {**one, **values} if n == at else one)


@pytest.fixture
def validate(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Callable[..., Said]:
    """`evolvent scenario validate` in this process, from an empty folder."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.delenv("EVOLVENT_DATA", raising=False)

    def run(path: Path, *options: str) -> Said:
        code = call(monkeypatch, "scenario", "validate", path, *options)
        said = capfd.readouterr()
        assert list(here.iterdir()) == []
        return Said(code, str(said.out), str(said.err))

    return run


@pytest.fixture(autouse=True)
def _signals() -> Generator[None]:
    import signal

    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)
    STOP.code = 0


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def assert_refused(said: Said, *parts: str) -> None:
    """Exit code 2 and one line on standard error that names the file and the place."""
    assert (said.code, said.out) == (2, ""), said
    assert said.err.startswith("evolvent: ")
    assert said.err.count("\n") == 1
    assert "Traceback" not in said.err
    assert [part for part in ("scenario.toml", *parts) if part not in said.err] == [], said.err


def test_the_scenario_that_is_spoilt_below_is_good(validate: Callable[..., Said], tmp_path: Path) -> None:
    said = validate(lay(tmp_path))
    assert (said.code, said.err) == (0, "")


HEAVY = "a = " + "[" * 2000 + "]" * 2000
FILES: dict[str, tuple[str | bytes, Sequence[str]]] = {
    "empty": (b"", ["needs 'name'", "needs 'source'"]),
    "only a comment": ("# nothing\n", ["needs 'name'"]),
    "a scalar": ("42\n", ["not a TOML file"]),
    "a list": ("[1, 2]\n", ["not a TOML file"]),
    "YAML": ("name: sums\nsource: file\n", ["not a TOML file", "line 1"]),
    "JSON": ('{"name": "sums"}', ["not a TOML file"]),
    "UTF-16": (GOOD.encode("utf-16"), ["byte 0 is not UTF-8; save the file as UTF-8"]),
    "Latin-1": (GOOD.replace("sums", "süms").encode("latin-1"), ["is not UTF-8"]),
    "NUL": (GOOD.replace("sums", "su\x00ms"), ["not a TOML file"]),
    "a key twice": (f'name = "a"\n{GOOD}', ["not a TOML file: cannot overwrite a value", "line 2"]),
    "a table twice": (add("[source]\nname = 'file'"), ["not a TOML file: cannot declare ('source',) twice"]),
    "an unclosed text": (swap('name = "sums"', 'name = "sums'), ["not a TOML file", "line 1"]),
    "an unclosed table": (swap("[source]", "[source"), ["not a TOML file", "line 5"]),
    "a bare word": (swap('"numeric"', "numeric"), ["not a TOML file: invalid value", "line 2"]),
    "two thousand deep": (HEAVY, ["scenario.toml: "]),
    "tables too deep": (add("[a" + ".a" * 40 + "]"), ["tables nested deeper than 32"]),
    "eleven megabytes": (b"#" * 11_000_000, ["11,000,000 bytes; a scenario may have 1,048,576"]),
    "a hundred thousand keys": ("".join(f"k{n}=1\n" for n in range(90_000)), ["needs 'name'"]),
    "an integer of five thousand digits": (
        swap("most = 1", f"most = {'9' * 5000}"),
        ["not a TOML file: exceeds the limit"],
    ),
    "a hexadecimal of five thousand digits": (
        swap("most = 1", f"most = 0x{'f' * 5000}"),
        ["rounds.most: a whole number of more than 64 bits"],
    ),
    "a hexadecimal for a part": (
        swap("epochs = 1", f"epochs = 0x{'f' * 5000}"),
        ["trainer.epochs: a whole number of more than 64 bits"],
    ),
    "a lone surrogate": (b'name = "\\ud800"\n' + GOOD.encode(), ["not a TOML file"]),
}


@pytest.mark.parametrize(("content", "parts"), FILES.values(), ids=FILES)
def test_a_file_that_is_no_scenario_is_refused(
    validate: Callable[..., Said], tmp_path: Path, content: str | bytes, parts: Sequence[str]
) -> None:
    path = lay(tmp_path, content)
    before = everything(tmp_path)
    assert_refused(validate(path), *parts)
    assert everything(tmp_path) == before


SETTINGS: dict[str, tuple[str, Sequence[str]]] = {
    "no name": (swap('name = "sums"', ""), ["needs 'name'"]),
    "no source": (swap('[source]\nname = "file"\npath = "tasks.jsonl"\nprocedural = true', ""), ["needs 'source'"]),
    "a source without its name": (swap('name = "file"\n', ""), ["needs 'source.name'"]),
    "a misspelt table": (swap("[rounds]", "[round]"), ["no setting 'round'", "did you mean 'rounds'"]),
    "a misspelt key": (swap("samples = 40", "sample = 40"), ["no setting 'sample' in 'rounds'", "'samples'"]),
    "a misspelt key of a skill": (swap("guard = true", "gaurd = true"), ["'gaurd' in 'skills.plain'", "'guard'"]),
    "a number as text": (swap("samples = 40", 'samples = "many"'), ["rounds.samples", "'many'"]),
    "a text as number": (swap('name = "sums"', "name = 7"), ["name: ", "7"]),
    "yes where a truth is due": (swap("guard = true", 'guard = "often"'), ["skills.plain.guard", "'often'"]),
    "a list where a table is due": (swap("[splits]\nselect = 20\nguard = 20\nsealed = 20", "").replace(
        "teacher = ", "splits = [1]\nteacher = "), ["splits: ", "[1]"]),
    "a time of day": (swap("samples = 40", "samples = 12:30:45"), ["rounds.samples"]),
    "a date": (swap("samples = 40", "samples = 2021-01-01"), ["rounds.samples"]),
    "not a number": (add("[gate]\nalpha = nan"), ["gate.alpha"]),
    "infinity": (add("[gate]\nmargin = inf"), ["gate.margin"]),
    "zero rounds": (swap("most = 1", "most = 0"), ["rounds.most", "0"]),
    "minus one sample": (swap("samples = 40", "samples = -1"), ["rounds.samples", "-1"]),
    "a tenth of a round": (swap("most = 1", "most = 0.1"), ["rounds.most", "0.1"]),
    "ten to the thirty": (swap("most = 1", f"most = {10**30}"), ["rounds.most"]),
    "shares that leave no training": (add("").replace("[splits]", "[splits]\nprobe = 0.9"), ["splits: probe + exam"]),
    "probes that are no range": (swap("least = 8", "least = 9"), ["probe: least (9) must not be above most (8)"]),
    "a version to come": (f"version = 2\n{GOOD}", ["version", "2"]),
    "a name that is a path": (swap('"sums"', '"../sums"'), ["name: ", "'../sums'"]),
    "a name of a hundred letters": (swap('"sums"', f'"{"s" * 100}"'), ["name: "]),
    "a skill with a space": (swap("[skills.carry]", '[skills."to carry"]'), ["skills.to carry"]),
    "nothing to teach": (swap("[skills.carry]\nlearnable = true", ""), ["at least one must be taught"]),
    "skills named and to be found": (f"discover = true\n{GOOD}", ["discover finds skills where none is named"]),
    "no skills and a program": (GOOD.replace("[skills.plain]\nguard = true", "").replace(
        "[skills.carry]\nlearnable = true", ""), ["teacher 'program' finds none", "[skills.NAME]"]),
    "a first training of no skill": (
        add("[student.first.skills]\nminus = []"), ["names 'minus', which is not a skill"]
    ),
    "a planted defect of no task": (add('[student.first.skills]\ncarry = ["is odd"]'), ["no task of the skill has"]),
    "a width that the heads do not divide": (add("[student]\nheads = 5"), ["student: hidden (96)"]),
    "a launcher without a child": (add('[train]\nlaunch = ["torchrun"]'), ["train: launch starts a process"]),
    "a launcher as a line": (
        add('[train]\nprocess = "child"\nlaunch = "torchrun -n 2"'), ["train.launch: write a list"]
    ),
    "money that nothing costs": (add("[budget]\nusd = 5"), ["budget.usd sees no cost"]),
    "a disk of some size": (add('[budget]\ndisk = "much"'), ["budget.disk"]),
    "checkpoints that nobody knows": (add('[keep]\ncheckpoints = "best"'), ["keep.checkpoints", "'best'"]),
    "a GPU that is taken": (add("[gpu]\nmemory = 8\ntaken = 8"), ["gpu: taken (8 GiB) leaves nothing"]),
    "candidates and nobody to choose": (add("[curation]\ncandidates = 2.0"), ["curation: candidates = 2"]),
    "a scorer that nobody reads": (add('[curation]\nscorer = "length"'), ["curation: scorer 'length' would decide"]),
    "an exam that proves nothing": (add("[gate]\nalpha = 1e-9"), ["splits.select", "can prove no gain"]),
}  # fmt: skip


@pytest.mark.parametrize(("text", "parts"), SETTINGS.values(), ids=SETTINGS)
def test_a_setting_that_cannot_be_is_refused_with_its_key(
    validate: Callable[..., Said], tmp_path: Path, text: str, parts: Sequence[str]
) -> None:
    path = lay(tmp_path, text)
    before = everything(tmp_path)
    assert_refused(validate(path), *parts)
    assert everything(tmp_path) == before


ENDPOINT = 'name = "openai"\nbase_url = "http://127.0.0.1:9/v1"\nmodel = "m"'
LLM = GOOD.replace('teacher = "program"', "") + '\n[teacher]\nname = "llm"\n'
ASKED = f"[models.teacher]\n{ENDPOINT}\n[models.judge]\n{ENDPOINT}\n"
PARTS: dict[str, tuple[str, Sequence[str]]] = {
    "a part that there is not": (swap('"numeric"', '"numerical"'), ["no verifier called 'numerical'", "'numeric'"]),
    "a part of another family": (swap('"program"', '"sft"'), ["no teacher called 'sft'; known: "]),
    "a part without a name": (swap('"numeric"', '""'), ["no verifier called ''"]),
    "a part that is a list": (swap('"numeric"', '["numeric"]'), ["verifier"]),
    "a setting that a part has not": (swap("epochs = 1", "epoch = 1"), ["trainer 'sft' has no setting 'epoch'"]),
    "a setting of a part out of range": (swap("epochs = 1", "epochs = -1"), ["trainer 'sft': epochs", "-1"]),
    "a pattern that is none": (swap('"numeric"', '{ name = "regex", pattern = "(" }'), ["verifier 'regex'", "pattern"]),
    "a verifier of nothing": (swap('"numeric"', '"all_of"'), ["verifier 'all_of' needs 'parts'"]),
    "a verifier of one that there is not": (
        swap('"numeric"', '{ name = "all_of", parts = ["numerc"] }'),
        ["verifier 'all_of'", "no verifier called 'numerc'"],
    ),
    "a module without leave": (swap('"numeric"', '"os.path"'), ["'os.path' is a module of your own", "--allow-import"]),
    "a teacher without a model": (LLM, ["teacher 'llm' asks a teacher", "[models.teacher]", "[models.judge]"]),
    "a role that nobody has": (add(f"[models.tutor]\n{ENDPOINT}"), ["models.tutor"]),
    "an endpoint without its address": (
        add('[models.judge]\nname = "openai"\nmodel = "m"'), ["models.judge: engine 'openai' needs 'base_url'"]
    ),
    "an address that is none": (
        add('[models.judge]\nname = "openai"\nmodel = "m"\nbase_url = "localhost:8000"'), ["models.judge", "base_url"]
    ),
    "an address with a password": (
        add('[models.judge]\nname = "openai"\nmodel = "m"\nbase_url = "http://me:pw@host/v1"'), ["models.judge"]
    ),
    "a database of a long name": (
        swap('"numeric"', f'{{ name = "sql", database = "{"d" * 5000}" }}'), ["verifier 'sql': no such database"]
    ),
    "a pool of a long name": (
        swap('"program"', f'{{ name = "pool", tasks = "{"t" * 5000}" }}'), ["teacher 'pool'", "no such file"]
    ),
    "a key instead of its variable": (add(f'[models.judge]\n{ENDPOINT}\nkey = "sk-123"'), ["models.judge", "key"]),
    "an operator that there is not": (
        f'{LLM}operators = ["similr"]\n{ASKED}', ["no operator called 'similr'", "'similar'"]
    ),
    "an operator without weight": (f"{LLM}operators = {{ similar = 0 }}\n{ASKED}", ["operators.0.weight"]),
    "a prompt that names what there is not": (f'{LLM}writing = "{{{{ what }}}}"\n{ASKED}',
        ["teacher 'llm': writing: a prompt names 'what'"]),
    "a prompt that is no template": (f'{LLM}writing = "{{{{ skill"\n{ASKED}', ["writing: not a template"]),
    "one judge": (f'{LLM}judging = {{ only = "Judge {{data}}" }}\n{ASKED}', ["teacher 'llm': judging"]),
    "a scorer without its model": (
        add('[curation]\ncandidates = 2.0\nscorer = "ask"'), ["scorer 'ask' asks a scorer", "[models.scorer]"]
    ),
    "a selector by scores and no scorer": (
        add('[curation]\ncandidates = 2.0\nselector = "top"'), ["selector 'top' goes by scores", "curation.scorer"]
    ),
    "an enhancer that there is not": (
        add('[curation]\nenhancers = ["normalise", "secret"]'), ["curation.enhancers.1: no enhancer called 'secret'"]
    ),
    "a pool that is not there": (
        swap('"program"', '{ name = "pool", tasks = "mine.jsonl" }'), ["teacher 'pool'", "no such file", "mine.jsonl"]
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "parts"), PARTS.values(), ids=PARTS)
def test_a_part_that_cannot_be_had_is_refused_with_its_place(
    validate: Callable[..., Said], tmp_path: Path, text: str, parts: Sequence[str]
) -> None:
    path = lay(tmp_path, text)
    before = everything(tmp_path)
    assert_refused(validate(path, "--offline"), *parts)
    assert everything(tmp_path) == before


DATA: dict[str, tuple[str, Rows | bytes, Sequence[str]]] = {
    "no file": (swap("tasks.jsonl", "task.jsonl"), ROWS, ["source.path: no such file", "task.jsonl"]),
    "a folder": (swap("tasks.jsonl", "."), ROWS, ["source.path: no such file"]),
    "a device": (swap("tasks.jsonl", "/dev/zero"), ROWS, ["source.path: no such file: /dev/zero"]),
    "a URL": (swap("tasks.jsonl", "https://example.org/t.jsonl"), ROWS, ["source.path: no such file"]),
    "the home of nobody": (swap("tasks.jsonl", "~nobody-at-all/t.jsonl"), ROWS, ["source.path: no such file"]),
    "a name of a thousand letters": (swap("tasks.jsonl", "t" * 1000), ROWS, ["source.path: no such file"]),
    "a path with a NUL": (swap("tasks.jsonl", "t\\u0000.jsonl"), ROWS, ["source.path: no such file"]),
    "a variable that is not set": (swap("tasks.jsonl", "$EVOLVENT_DATA/t.jsonl"), ROWS, ["EVOLVENT_DATA is not set"]),
    "an empty file": (GOOD, b"", ["tasks.jsonl: no rows"]),
    "no JSON": (GOOD, b"prompt,answer\n", ["tasks.jsonl:1: not JSON"]),
    "half a line": (GOOD, b'{"prompt": "1+1"', ["tasks.jsonl:1: not JSON"]),
    "a list": (GOOD, b"[1]\n", ["tasks.jsonl:1: [1] is not an object"]),
    "no UTF-8": (GOOD, b'{"prompt": "\xff"}\n', ["tasks.jsonl:1: byte 12 is not UTF-8"]),
    "a line of two megabytes": (GOOD, b'{"prompt": "' + b"x" * (2 << 20) + b'"}', ["tasks.jsonl:1: longer than"]),
    "JSON without end": (GOOD, b"[" * 100_000, ["tasks.jsonl:1: "]),
    "no prompt": (GOOD, rows(lambda n, r: {"answer": 1, "skill": "plain"}), ["tasks.jsonl:1 has no column 'prompt'"]),
    "an empty answer": (GOOD, row(4, answer=" "), ["tasks.jsonl:5: 'answer' is ' '"]),
    "an answer that is a table": (GOOD, row(4, answer={"a": 1}), ["tasks.jsonl:5: 'answer' is {'a': 1}"]),
    "half a surrogate": (GOOD, row(4, prompt="\ud800"), ["tasks.jsonl:5: 'prompt' holds half a surrogate"]),
    "no skill": (GOOD, row(4, skill=None), ["tasks.jsonl:5: 'skill' is None"]),
    "a task with two answers": (GOOD, row(4, prompt="1+1", answer=3), ["lines 2 and 5 are the same task"]),
    "a skill of no row": (swap("[skills.carry]", "[skills.borrow]"), ROWS, ["skills.borrow: no row of", "'borrow'"]),
    "a filter that nothing meets": (
        add('[skills.carry.task.where]\nprompt = "9"'), ROWS, ["skills.carry.task.where: no row of", "meets"]
    ),
    "a filter by no column": (
        add("[skills.carry.task.where]\nlevel = 3"), ROWS, ["skills.carry.task.where", "no column 'level'"]
    ),
    "a setting that a skill has not": (
        add('[skills.carry.task]\nwhre = "x"'), ROWS, ["skills.carry.task: source 'file' has no setting 'whre'"]
    ),
    "too few tasks": (GOOD, ROWS[:60], ["skills.carry: of its", "distinct tasks", "widen the skill"]),
    "a size that does not fit": (swap("select = 20", "select = 2000"), ROWS, ["skills.carry", "lower splits.select"]),
    "references that the verifier refuses": (
        GOOD, rows(lambda n, r: {**r, "answer": f"many {chr(97 + n % 26)}"}), ["holds no number; use verifier 'exact'"]
    ),
    "skills that share their tasks": (
        add('[skills.again]\ntask = { named = "carry" }'), ROWS, ["'again'", "'carry'", "keep skills apart"]
    ),
    "what the student cannot read": (
        GOOD, rows(lambda n, r: {**r, "prompt": f"{r['prompt']} €"}), ["holds '€', which the student cannot read"]
    ),
    "what is too long for the trainer": (
        GOOD, rows(lambda n, r: {**r, "prompt": f"{'0' * 200}{r['prompt']}"}), ["too long for trainer.longest 128"]
    ),
    "one question under two keys": (
        swap("procedural = true", 'procedural = true\nkey = "id"'),
        rows(lambda n, r: {**r, "id": str(n), **({"prompt": "9+9", "answer": 18} if n < 20 and n % 2 else {})}),
        ["source.key: lines 2 and ", "'9+9'", "fall into two splits"],
    ),
    "documents in no column": (
        swap("procedural = true", 'procedural = true\ncontext = "page"'), ROWS, ["source.context", "no column 'page'"]
    ),
    "conversations for an embedded student": (
        GOOD,
        rows(lambda n, r: {"skill": r["skill"], "messages": [
            {"role": "system", "content": "Add."}, {"role": "user", "content": r["prompt"]},
            {"role": "assistant", "content": str(r["answer"])}]}),
        ["skills.carry holds conversations", "student.model"],
    ),
    "a conversation that ends with a question": (
        GOOD, rows(lambda n, r: {"skill": r["skill"], "messages": [{"role": "user", "content": "a"}] * 2}),
        ["tasks.jsonl:1: the last turn is of 'user'"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "tasks", "parts"), DATA.values(), ids=DATA)
def test_tasks_that_cannot_be_used_are_refused_with_their_line_or_skill(
    validate: Callable[..., Said], tmp_path: Path, text: str, tasks: Rows | bytes, parts: Sequence[str]
) -> None:
    path = lay(tmp_path, text, tasks)
    before = everything(tmp_path)
    assert_refused(validate(path), *parts)
    assert everything(tmp_path) == before


def test_there_are_more_than_sixty_by_hand() -> None:
    assert len(FILES) + len(SETTINGS) + len(PARTS) + len(DATA) >= 60


TABLES: dict[str, Any] = tomllib.loads(GOOD)


def keys(table: Mapping[str, Any], before: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Paths of all settings of the schema's own tables."""
    found: list[tuple[str, ...]] = []
    for name, said in table.get("properties", {}).items():
        found.append((*before, name))
        inner = SCHEMA["$defs"].get(str(said.get("$ref", "")).removeprefix("#/$defs/"), {})
        if inner.get("type") == "object" and name not in FAMILIES:
            found += keys(inner, (*before, name))
    return found


SCHEMA: dict[str, Any] = schema()
KEYS = keys(SCHEMA)


def amended(path: Sequence[str], value: Any) -> dict[str, Any]:
    """The good scenario as plain values, with one changed."""
    whole = json.loads(json.dumps(TABLES))
    table = whole
    for name in path[:-1]:
        table = table.setdefault(name, {})
    table[path[-1]] = value
    return whole


def written(value: Any) -> str:
    """Plain values as TOML, in one line a table."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(k)} = {written(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    return json.dumps(value)


def toml(values: Mapping[str, Any]) -> str:
    return "".join(f"{json.dumps(name)} = {written(value)}\n" for name, value in values.items())


@pytest.mark.parametrize("path", KEYS, ids=".".join)
def test_every_key_misspelt_and_every_value_of_a_wrong_kind_is_refused_by_program_and_schema(
    tmp_path: Path, path: tuple[str, ...]
) -> None:
    import jsonschema

    checker = jsonschema.Draft202012Validator(SCHEMA)
    misspelt = (*path[:-1], f"{path[-1]}x")
    for place, value in ((misspelt, 1), (path, [[[]]])):
        values = amended(place, value)
        with pytest.raises(UsageError) as caught:
            planning.plan(lay(tmp_path, toml(values)), [], seed=0, limit=None, allow_import=False)
        said = str(caught.value)
        assert "scenario.toml" in said
        assert place[-1] in said, said
        assert not checker.is_valid(values)


PARTS_TRIED = [
    ("source", "file"), ("verifier", "numeric"), ("verifier", "regex"), ("verifier", "sql"), ("teacher", "program"),
    ("teacher", "llm"), ("teacher", "pool"), ("trainer", "sft"), ("trainer", "grpo"), ("allocator", "learnability"),
]  # fmt: skip
OF_PARTS = [
    (table, name, key)
    for table, name in PARTS_TRIED
    for key in SCHEMA["$defs"][f"{table}s.{name}"]["properties"]
    if key != "name"
]
EXTREMES = ["x" * 5000, "\u202e\x1b[31m", 2**63 - 1, 1e308, -1e308, [{"a": [1]}], {"name": "x", "settings": {"a": 1}}]
"""Values that a setting may take by its kind, and that are far from what anybody means."""


def refusal(folder: Path, values: Mapping[str, Any]) -> str:
    """What is said of a scenario; empty where it makes a plan. Any other error fails the test."""
    try:
        planning.plan(lay(folder, toml(values)), [], seed=0, limit=None, allow_import=False)
    except EvolventError as error:
        return str(error)
    return ""


def test_as_many_epochs_as_a_number_holds_are_cut_to_the_most_steps(tmp_path: Path) -> None:
    for path in (("trainer", "epochs"), ("student", "first", "epochs")):
        assert refusal(tmp_path, amended(path, 1e308)) == ""


@pytest.mark.parametrize("value", ["[" * 5000, "9" * 5000, "0x" + "f" * 5000], ids=["deep", "long", "hexadecimal"])
def test_an_override_that_no_reader_takes_is_refused_with_its_key(
    validate: Callable[..., Said], tmp_path: Path, value: str
) -> None:
    assert_refused(validate(lay(tmp_path), "--set", f"rounds.most={value}"), "rounds.most")


@pytest.mark.slow
@pytest.mark.parametrize("path", KEYS, ids=".".join)
def test_a_value_from_the_ends_of_the_range_is_planned_or_refused(tmp_path: Path, path: tuple[str, ...]) -> None:
    for value in EXTREMES:
        said = refusal(tmp_path, amended(path, value))
        assert not said or "scenario.toml" in said


@pytest.mark.slow
@pytest.mark.parametrize(("table", "name", "key"), OF_PARTS, ids=[".".join(one) for one in OF_PARTS])
def test_a_value_of_a_part_from_the_ends_of_the_range_is_planned_or_refused(
    tmp_path: Path, table: str, name: str, key: str
) -> None:
    written = TABLES.get(table)
    given = written if isinstance(written, dict) and written.get("name", name) == name else {}
    for value in EXTREMES:
        said = refusal(tmp_path, amended([table], {**given, "name": name, key: value}))
        assert not said or "scenario.toml" in said


LINES = GOOD.splitlines()
JUNK = st.sampled_from(
    ["", "=", "[[skills]]", "[skills]", "x", '"', "name = 1", "[a.b.c]", "1 = 1", "true", "\x00", "é"]
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, len(LINES) - 1), junk=JUNK, how=st.sampled_from(["replace", "insert", "append", "double"]))
@example(at=4, junk="[[skills]]", how="replace")
@example(at=9, junk="[[skills]]", how="replace")
def test_a_line_that_is_spoilt_is_refused_in_one_line_or_does_no_harm(
    validate: Callable[..., Said], tmp_path: Path, at: int, junk: str, how: str
) -> None:
    old = LINES[at]
    new = {"replace": [junk], "insert": [junk, old], "append": [old + junk], "double": [old, old]}[how]
    path = lay(tmp_path, "\n".join([*LINES[:at], *new, *LINES[at + 1 :]]))
    said = validate(path)
    if said.code:
        assert_refused(said)
    else:
        assert said.err == ""


@pytest.mark.parametrize("case", ["UTF-16", "eleven megabytes", "two thousand deep", "an unclosed table"])
def test_the_installed_program_refuses_a_file_in_one_line_and_at_once(tmp_path: Path, case: str) -> None:
    path = lay(tmp_path, FILES[case][0])
    before = everything(tmp_path)
    done = subprocess.run(
        [COMMAND, "scenario", "validate", path],
        capture_output=True, text=True, cwd=tmp_path, env={**os.environ, "NO_COLOR": "1"}, timeout=60,
    )  # fmt: skip
    assert_refused(Said(done.returncode, done.stdout, done.stderr), *FILES[case][1])
    assert everything(tmp_path) == before


@pytest.mark.parametrize("case", ["an empty answer", "too few tasks"])
def test_the_installed_program_refuses_tasks_in_one_line(tmp_path: Path, case: str) -> None:
    text, tasks, parts = DATA[case]
    path = lay(tmp_path, text, tasks)
    done = subprocess.run([COMMAND, "scenario", "validate", path], capture_output=True, text=True, cwd=tmp_path)
    assert_refused(Said(done.returncode, done.stdout, done.stderr), *parts)


def test_what_is_wrong_with_every_skill_is_said_once(validate: Callable[..., Said]) -> None:
    shipped = Path(loader.__file__).parent / "sql.toml"
    said = validate(shipped, "--offline", "--set", "verifier.database=gone.sqlite")
    assert said.code == 2
    assert said.err.count("no such database") == 1


def test_a_reference_that_the_verifier_cannot_go_by_is_named_where_an_operator_reasons(
    validate: Callable[..., Said], tmp_path: Path
) -> None:
    rows = [{"prompt": f"what {n}?", "answer": f"{n}", "skill": "talk"} for n in range(400)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    model = '{ name = "openai", base_url = "http://127.0.0.1:9/v1", model = "m" }'
    (tmp_path / "own.toml").write_text(
        f"""
        name = "own"
        source = {{ name = "file", path = "rows.jsonl" }}
        verifier = {{ name = "choice", options = ["a", "b"] }}
        teacher = {{ name = "llm", operators = ["rationale"] }}
        models = {{ teacher = {model}, judge = {model} }}
        skills = {{ talk = {{}} }}
        """
    )
    said = validate(tmp_path / "own.toml", "--offline")
    assert said.code == 2
    assert "is none of a, b; set options" in said.err
