import json
import os
import subprocess
import tomllib
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest

import evolvent as package
from evolvent.agents import planning
from evolvent.agents.drafting import SOUND
from evolvent.scenarios.splits import Splits

from ..endpoint import MODEL, serving
from ..killing import COMMAND, MINI
from ..teaching import Teaching
from ..training.brought import FORGETFUL, make_model
from .calling import Cli

TAUGHT = MINI.with_name("taught.toml")
SHIPPED = sorted((Path(package.__file__).parent / "scenarios").glob("*.toml"))
Rows = Sequence[Mapping[str, Any]]


def lines(path: Path, rows: Rows) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def sums(count: int, *, skills: Sequence[str] = ()) -> Rows:
    """Questions whose answers are numbers; with skills each belongs to one of them."""
    named = [{"topic": skills[n % len(skills)]} if skills else {} for n in range(count)]
    return [{"question": f"What is {n} and 1?", "answer": str(n + 1), **named[n]} for n in range(count)]


def facts(evolvent: Cli, *arguments: str | Path) -> dict[str, Any]:
    said = evolvent(*arguments, "--json")
    assert said.code == 0, said.err
    return json.loads(said.out)


@pytest.fixture
def endpoint() -> Generator[Teaching]:
    taught = Teaching()
    with serving(taught):
        yield taught


def served(url: str, *roles: str) -> list[str]:
    """Options that name an endpoint."""
    settings = [
        f"models.{r}.{k}={v}" for r in roles for k, v in (("name", "openai"), ("base_url", url), ("model", MODEL))
    ]
    return [word for one in settings for word in ("--set", one)]


def test_a_first_scenario_is_short_has_comments_and_is_accepted(evolvent: Cli, tmp_path: Path) -> None:
    data = lines(tmp_path / "mine.jsonl", sums(900, skills=["Small sums", "large"]))
    said = evolvent("scenario", "new", "mine", "--data", data)
    assert (said.code, said.err) == (0, "")
    assert "skill    Small sums: 450 distinct tasks" in said.out
    assert said.out.endswith("next     evolvent scenario validate mine.toml\n")
    text = Path("mine.toml").read_text()
    assert 10 <= len(text.splitlines()) <= 30
    assert text.count("#") >= 5
    value = tomllib.loads(text)
    assert value["source"] == {"name": "file", "path": "mine.jsonl", "prompt": "question", "skill": "topic"}
    assert value["skills"] == {"small-sums": {"task": {"named": "Small sums"}}, "large": {}}
    assert (value["verifier"], value["teacher"]) == ("numeric", "program")
    assert evolvent("scenario", "validate", "mine.toml").code == 0


def test_nothing_that_is_there_is_overwritten(evolvent: Cli, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("precious")
    said = evolvent("scenario", "new", "mine", "--from", "dates")
    assert (said.code, said.out) == (2, "")
    assert "mine.toml: is there already and stays as it is" in said.err
    assert (tmp_path / "mine.toml").read_text() == "precious"


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["mine"], "no file with your tasks; say it with --data FILE"),
        (["Mine Own", "--from", "dates"], "try 'mine-own'"),
        (["away/mine", "--from", "dates"], "no such folder: away; make it first"),
        (["mine", "--from", "date"], "; did you mean 'dates'?"),
        (["mine", "--from", "dates", "--teacher", "llm"], "--from copies a scenario as it is"),
        (["mine", "--from", "dates", "--data", "x.jsonl"], "give one of the two"),
        (["mine", "--data", "x.jsonl"], "x.jsonl: no such file; give a JSON Lines (.jsonl), CSV"),
        (["mine", "--data", "empty.jsonl"], "empty.jsonl: no rows"),
        (["mine", "--data", "odd.jsonl"], "none of the columns that are known"),
        (["mine", "--data", "odd.jsonl", "--prompt", "q"], "has no column 'q'; it has: ask, say"),
        (["mine", "--data", "sums.jsonl", "--skill", "q"], "has no column 'q'"),
        (["mine", "--data", "sums.jsonl", "--teacher", "lm"], "there are: program, llm, pool"),
        (["mine", "--data", "sums.jsonl", "--teacher", "llm"], "say it with --base-url URL"),
        (["mine", "--data", "sums.jsonl", "--base-url", "http://a/v1"], "say it with --model NAME"),
        (["mine", "--data", "sums.jsonl", "--teacher", "pool", "--model", "m"], "asks no model; leave --base-url"),
        (["mine", "--data", "sharegpt.jsonl"], "'conversations' holds conversations that are no chat format"),
        (["mine", "--data", "text.jsonl"], "'text' does not tell question from answer"),
        (["mine", "--data", "alpaca.jsonl"], "join them into one column"),
    ],
    ids=" ".join,
)
def test_what_a_scenario_cannot_be_made_of_is_refused_and_nothing_is_written(
    evolvent: Cli, tmp_path: Path, arguments: Sequence[str], part: str
) -> None:
    (tmp_path / "empty.jsonl").write_text("")
    lines(tmp_path / "odd.jsonl", [{"ask": "a", "say": "b"}])
    lines(tmp_path / "sums.jsonl", sums(3))
    lines(tmp_path / "sharegpt.jsonl", [{"conversations": [{"from": "human", "value": "a"}]}])
    lines(tmp_path / "text.jsonl", [{"text": "a"}])
    lines(tmp_path / "alpaca.jsonl", [{"instruction": "a", "input": "b", "output": "c"}])
    before = sorted(tmp_path.iterdir())
    said = evolvent("scenario", "new", *arguments)
    assert (said.code, said.out) == (2, "")
    assert said.err.count("\n") == 1
    assert part in said.err
    assert sorted(tmp_path.iterdir()) == before


CALL = {"function": {"name": "add", "arguments": {"a": 1}}}
TOOLS = [{"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {}}}}]
GUESSES: dict[str, tuple[Callable[[int], Mapping[str, Any]], str]] = {
    "numbers": (lambda n: {"prompt": f"count {n}", "answer": n * 0.5}, "numeric"),
    "money": (lambda n: {"prompt": f"pay {n}", "answer": f"${n},000.50"}, "numeric"),
    "worked solutions": (lambda n: {"question": f"how many {n}", "answer": f"So 3 + 4 = 7.\n#### {n}"}, "numeric"),
    "codes": (lambda n: {"prompt": f"code {n}", "answer": f"0{n}"}, "exact"),
    "dates": (lambda n: {"prompt": f"day {n}", "answer": f"2021-03-{n % 28 + 1:02}"}, "exact"),
    "letters": (lambda n: {"prompt": f"Which {n}? A) one B) two", "answer": "AB"[n % 2]}, "choice"),
    "grades": (lambda n: {"prompt": f"grade essay {n}", "answer": "AB"[n % 2]}, "exact"),
    "prose": (lambda n: {"prompt": f"tell {n}", "answer": f"a tale of {n} brave mice"}, "f1"),
    "words": (lambda n: {"instruction": f"say {n}", "input": "", "output": f"word{n}"}, "exact"),
    "calls": (
        lambda n: {
            "tools": TOOLS,
            "messages": [{"role": "user", "content": f"add {n}"}, {"role": "assistant", "tool_calls": [CALL]}],
        },
        "tool_calls",
    ),
}


@pytest.mark.parametrize(("row", "verifier"), GUESSES.values(), ids=GUESSES)
def test_how_answers_are_judged_is_guessed_from_them(
    evolvent: Cli, tmp_path: Path, row: Callable[[int], Mapping[str, Any]], verifier: str
) -> None:
    data = lines(tmp_path / "mine.jsonl", [row(n) for n in range(40)])
    assert facts(evolvent, "scenario", "new", "mine", "--data", data)["verifier"] == verifier
    assert tomllib.loads(Path("mine.toml").read_text())["verifier"] == verifier


def test_tasks_may_come_as_csv(evolvent: Cli, tmp_path: Path) -> None:
    rows = [f'"{n}, and one","{n + 1}",sums\r\n' for n in range(400)]
    (tmp_path / "mine.csv").write_text("prompt,answer,skill\r\n" + "".join(rows))
    assert evolvent("scenario", "new", "mine", "--data", "mine.csv").code == 0
    shown = facts(evolvent, "scenario", "show", "mine.toml")
    assert [(s["skill"], s["tasks"]) for s in shown["skills"]] == [("sums", 400)]
    assert ", and one" in shown["skills"][0]["example"]["prompt"]


def test_skills_with_too_few_tasks_are_left_out_by_name_and_none_is_lost_where_all_are_small(
    evolvent: Cli, tmp_path: Path
) -> None:
    few = [{**row, "topic": "rare"} for row in sums(SOUND - 1)]
    many = [{**row, "question": f"{row['question']}!", "topic": "common"} for row in sums(600)]
    evolvent("scenario", "new", "one", "--data", lines(tmp_path / "one.jsonl", [*few, *many]))
    text = (tmp_path / "one.toml").read_text()
    assert list(tomllib.loads(text)["skills"]) == ["common"]
    assert f'# Not taught: "rare" ({SOUND - 1})' in text
    topics = [f"t{n}" for n in range(20)]
    evolvent("scenario", "new", "two", "--data", lines(tmp_path / "two.jsonl", sums(600, skills=topics)))
    value = tomllib.loads((tmp_path / "two.toml").read_text())
    assert (value["skills"], value["source"]["skill"]) == ({"two": {}}, "")
    assert evolvent("scenario", "validate", "two.toml").code == 0


def test_calculations_are_told_from_prose(evolvent: Cli, tmp_path: Path) -> None:
    data = lines(tmp_path / "mine.jsonl", [{"prompt": f"{n}*3", "answer": n * 3} for n in range(400)])
    assert facts(evolvent, "scenario", "new", "mine", "--data", data)["procedural"]
    data = lines(tmp_path / "says.jsonl", [{"prompt": f"thrice {n}", "answer": n * 3} for n in range(400)])
    assert not facts(evolvent, "scenario", "new", "says", "--data", data)["procedural"]


def test_tasks_too_long_for_an_embedded_student_say_where_a_model_is_named(evolvent: Cli, tmp_path: Path) -> None:
    rows = [{"prompt": f"{'so ' * 60}{n}", "answer": n} for n in range(400)]
    said = facts(evolvent, "scenario", "new", "mine", "--data", lines(tmp_path / "mine.jsonl", rows))
    assert "too long for trainer.longest" in said["wrong"]
    assert "# [student]\n# model = " in Path("mine.toml").read_text()
    named = facts(evolvent, "scenario", "new", "named", "--data", "mine.jsonl", "--student", "models/small")
    assert "student.model" in named["wrong"]
    assert tomllib.loads(Path("named.toml").read_text())["student"] == {"model": "models/small"}


@pytest.mark.parametrize("name", [path.stem for path in SHIPPED])
def test_a_shipped_scenario_can_be_copied_and_is_as_good_elsewhere(
    evolvent: Cli, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVOLVENT_DATA", os.environ.get("EVOLVENT_DATA", str(tmp_path)))
    evolvent("scenario", "new", "copy", "--from", name)
    copy, shipped = (planning.loader.load(path) for path in (Path("copy.toml"), SHIPPED[0].with_name(f"{name}.toml")))
    assert copy.name == "copy"
    assert copy.model_copy(update={"name": name}) == shipped


def test_a_teacher_that_is_a_model_finds_the_skills_of_a_file_that_names_none(
    evolvent: Cli, tmp_path: Path, endpoint: Teaching
) -> None:
    lines(tmp_path / "mine.jsonl", sums(900))
    options = ["--teacher", "llm", "--base-url", endpoint.url, "--model", MODEL]
    assert facts(evolvent, "scenario", "new", "mine", "--data", "mine.jsonl", *options)["wrong"] == ""
    assert "names no skills" in evolvent("scenario", "validate", "mine.toml").out
    assert {body["model"] for body in endpoint.bodies} == {MODEL}


def test_a_person_at_a_terminal_is_asked_for_what_is_missing(tmp_path: Path) -> None:
    import pty

    lines(tmp_path / "mine.jsonl", sums(400))
    ours, theirs = pty.openpty()
    command = [COMMAND, "scenario", "new", "mine"]
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, cwd=tmp_path) as process:
        os.close(theirs)
        os.write(ours, b"mine.jsonl\npool\n")
        assert process.stdout
        assert b"wrote    mine.toml" in process.stdout.read()
        assert process.wait() == 0
    said = os.read(ours, 4096).decode()
    os.close(ours)
    assert "file with your tasks: " in said
    assert "teacher, program, llm, pool [program]: " in said
    assert tomllib.loads((tmp_path / "mine.toml").read_text())["teacher"] == "pool"


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("scenario n", ["new"]),
        ("scenario new mine --from da", ["data_preparation", "dates"]),
        ("scenario new mine --teacher ", ["program", "llm", "pool"]),
    ],
)
def test_a_shell_completes_commands_and_values(tmp_path: Path, words: str, offered: list[str]) -> None:
    variables = {"_EVOLVENT_COMPLETE": "complete_bash", "COMP_WORDS": f"evolvent {words}"}
    place = {"COMP_CWORD": str(len(words.split(" ")))}
    done = subprocess.run(
        [COMMAND], env={**os.environ, **variables, **place}, capture_output=True, text=True, cwd=tmp_path
    )
    assert (done.returncode, done.stdout.split()) == (0, offered)


def test_a_model_that_does_not_answer_is_said_with_its_place_unless_nobody_is_to_look(
    evolvent: Cli, endpoint: Teaching
) -> None:
    away = "http://127.0.0.1:9/v1"
    good, gone = served(endpoint.url, "teacher"), served(away, "judge")
    said = evolvent("scenario", "validate", TAUGHT, *good, *gone)
    assert (said.code, said.out) == (4, "")
    assert "taught.toml: models.judge: " in said.err
    assert away in said.err
    assert evolvent("scenario", "validate", TAUGHT, *good, *gone, "--offline").code == 0
    assert evolvent("scenario", "validate", TAUGHT, *good, *served(endpoint.url, "judge")).code == 0


def test_a_variable_without_its_key_is_said_like_a_model_that_is_not_there(
    evolvent: Cli, endpoint: Teaching, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    keyed = ["--set", "models.judge.key=NO_SUCH_KEY"]
    said = evolvent("scenario", "validate", TAUGHT, *served(endpoint.url, "teacher", "judge"), *keyed)
    assert said.code in (2, 4)
    assert "models.judge: " in said.err
    assert "NO_SUCH_KEY" in said.err


def test_everything_wrong_with_tables_parts_tasks_and_models_is_said_at_once(evolvent: Cli, tmp_path: Path) -> None:
    rows = [{"prompt": f"{n}+1", "answer": "no number", "skill": "sums"} for n in range(600)]
    lines(tmp_path / "tasks.jsonl", rows)
    head = 'name = "x"\nverifier = "numeric"\n[source]\nname = "file"\npath = "tasks.jsonl"\nprocedural = true\n'
    path = tmp_path / "x.toml"
    path.write_text(f"{head}[skills.sums]\n[rounds]\nmots = 2\n[trainer]\nepoch = 2\n[allocator]\nname = 'thomson'\n")
    said = evolvent("scenario", "validate", path).err
    wrong = ["'mots' in 'rounds'", "trainer 'sft' has no setting 'epoch'", "no allocator called 'thomson'"]
    assert [one for one in wrong if one not in said] == []
    path.write_text(f"{head}[skills.sums]\n[skills.minus]\n[trainer]\nepoch = 2\n")
    said = evolvent("scenario", "validate", path).err
    assert [one for one in ("no setting 'epoch'", "skills.minus: no row of") if one not in said] == []
    models = "".join(
        f'[models.{r}]\nname = "openai"\nbase_url = "http://127.0.0.1:9/v1"\nmodel = "m"\n' for r in ("judge",)
    )
    path.write_text(f"{head}[skills.sums]\n[student]\nmodel = 'nowhere'\n[splits]\nselect = 500\n{models}")
    said = evolvent("scenario", "validate", path)
    wrong = ["lower splits.select", "holds no number", "student.model", "no such folder", "models.judge: "]
    assert said.code == 2
    assert [one for one in wrong if one not in said.err] == []


def test_a_student_that_is_not_there_is_said_beside_everything_else(evolvent: Cli, tmp_path: Path) -> None:
    path = barn(tmp_path)
    path.write_text(f"{path.read_text()}[student]\nmodel = '{'m' * 5000}'\n")
    said = evolvent("scenario", "validate", path)
    assert (said.code, said.out) == (4, "")
    assert "barn.toml: student.model '" in said.err
    assert "no such folder" in said.err
    said = evolvent("scenario", "validate", path, "--set", "splits.select=5000")
    assert said.code == 2
    assert [part for part in ("lower splits.select", "student.model", "no such folder") if part not in said.err] == []


@pytest.mark.parametrize(
    ("template", "part"),
    [
        (None, "has no chat template"),
        ("{{ raise_exception('no users here') }}", "no users here"),
        ("{% for m in messages %}{{ m.content", "chat template"),
        (FORGETFUL, "choose student.template so that both agree"),
    ],
    ids=["none", "raising", "unfinished", "forgetful"],
)
def test_a_chat_template_that_fails_is_said_beside_everything_else(
    evolvent: Cli, tmp_path: Path, template: str | None, part: str
) -> None:
    path, model = barn(tmp_path), make_model(tmp_path / "model", template=template)
    extra = f"[student]\nmodel = '{model.name}'\ntemplate = {{ enable_thinking = false }}\n[splits]\nselect = 5000\n"
    path.write_text(f"{path.read_text()}{extra}")
    said = evolvent("scenario", "validate", path)
    assert (said.code, said.out) == (2, "")
    told = said.err.splitlines()[-1]  # writing the model has said something before
    assert [one for one in ("lower splits.select", "student.model", part) if one not in told] == []


def barn(folder: Path) -> Path:
    """A scenario of word problems."""
    items = [f"how many legs have {n} spiders and {n + 1} cats in the barn" for n in range(900)]
    lines(folder / "tasks.jsonl", [{"prompt": p, "answer": str(len(p)), "skill": "legs"} for p in items])
    path = folder / "barn.toml"
    path.write_text('name = "barn"\n[source]\nname = "file"\npath = "tasks.jsonl"\n[skills.legs]\n')
    return path


@pytest.mark.parametrize("part", ["exam", "report", "train"])
def test_a_prompt_that_holds_an_exam_item_is_refused_with_its_place_and_one_of_training_is_not(
    evolvent: Cli, tmp_path: Path, part: Literal["exam", "report", "train"]
) -> None:
    path = barn(tmp_path)
    plan = planning.plan(path, [], seed=0, limit=None, allow_import=False)
    stream = {"exam": "select", "report": "report", "train": "any"}[part]
    (item,) = Splits(plan.scenario, plan.parts.source, 0).draw("legs", part, 1, stream=stream)
    prompt = f"Write {{{{ count }}}} tasks of {{{{ skill }}}} like {{{{ data }}}}, or: {item.prompt.upper()}! In JSON."
    path.write_text(f"{path.read_text()}[teacher]\nname = 'llm'\nwriting = '{prompt}'\n")
    said = evolvent("scenario", "validate", path, "--offline", *served("http://127.0.0.1:9/v1", "teacher", "judge"))
    assert said.code == (0 if part == "train" else 2)
    assert ("barn.toml: teacher.writing: holds an exam item, 'how many legs" in said.err) == (part != "train")


def test_a_system_prompt_with_a_calculation_of_an_exam_is_refused(evolvent: Cli, tmp_path: Path) -> None:
    path = tmp_path / "sums.toml"
    path.write_text('name = "sums"\nsource = "arithmetic"\n[skills.add]\ntask = { operation = "add" }\n')
    plan = planning.plan(path, [], seed=0, limit=None, allow_import=False)
    item = Splits(plan.scenario, plan.parts.source, 0).items("select")[0].prompt
    for told, code in ((f"Add. {item} is an example.", 2), (f"Add. 1{item}0 is an example.", 4)):
        path.write_text(f"{path.read_text().partition('[student]')[0]}[student]\nmodel = 'none'\nsystem = '{told}'\n")
        said = evolvent("scenario", "validate", path)
        assert said.code == code
        assert ("student.system: holds an exam item" in said.err) == (code == 2)


def test_tasks_of_a_pool_that_belong_to_an_exam_are_a_warning(evolvent: Cli, tmp_path: Path) -> None:
    path = barn(tmp_path)
    path.write_text(f"{path.read_text()}[teacher]\nname = 'pool'\ntasks = 'tasks.jsonl'\n")
    said = evolvent("scenario", "validate", path)
    assert said.code == 0
    assert "of 900 tasks belong to exams or probes" in said.out
