"""`scenario`: write a first one, check it, see what a session would do with it, and try its teacher."""

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...memory.errors import UsageError
from . import options

if TYPE_CHECKING:
    from ...scenarios.guessing import Guess
    from ..drafting import Kind, Taught

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Write, check and try scenario files.")

TEACHERS: "dict[str, Kind]" = {"program": "program", "llm": "llm", "pool": "pool"}


def shipped() -> list[str]:
    """Names of the shipped scenarios, for completion."""
    return sorted(path.stem for path in Path(__file__).parents[2].glob("scenarios/*.toml"))


@app.command()
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the scenario, or path of the file to write.")],
    data: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Your tasks: JSON Lines, CSV or Parquet.", show_default=False)
    ] = None,
    from_: Annotated[
        str, typer.Option("--from", metavar="SHIPPED", autocompletion=shipped, help="Shipped scenario to copy instead.")
    ] = "",
    prompt: Annotated[str, typer.Option(metavar="COLUMN", help="Column of the question.")] = "",
    answer: Annotated[str, typer.Option(metavar="COLUMN", help="Column of the answer.")] = "",
    skill: Annotated[str, typer.Option(metavar="COLUMN", help="Column that names skills.")] = "",
    teacher: Annotated[
        str, typer.Option(metavar="|".join(TEACHERS), autocompletion=lambda: [*TEACHERS], help="Who teaches.")
    ] = "",
    base_url: Annotated[str, typer.Option(metavar="URL", help="Endpoint of teacher llm.")] = "",
    model: Annotated[str, typer.Option(metavar="NAME", help="Model that it serves.")] = "",
    student: Annotated[str, typer.Option(metavar="FOLDER", help="Model of yours that is taught.")] = "",
    json_: options.Json = False,
) -> None:
    """Write a short scenario with comments for tasks of yours, and say what is still wrong with it."""
    from ..drafting import copied, drafted, place

    path = place(name)
    if data and from_:
        raise UsageError("--data writes a new scenario and --from copies one; give one of the two")
    if from_:
        if any((prompt, answer, skill, teacher, base_url, model, student)):
            raise UsageError("--from copies a scenario as it is; give none of the other options, and edit the copy")
        guess, text = None, copied(path, from_)
    else:
        guess = _looked(data or Path(_asked("file with your tasks", "--data FILE")), prompt, answer, skill)
        text = drafted(path, guess, _taught(teacher, base_url, model, student))
    _write(path, text)
    # a copy is as good as what is shipped
    wrong = _wrong(path) if guess else ""
    following = f"evolvent scenario validate {path}"
    if json_:
        _json({"event": "scenario", "path": str(path), **_guessed(guess), "wrong": wrong, "next": following})
        return
    typer.echo("\n".join([*_lines(guess), f"wrote    {path}", *([f"mend     {wrong}"] if wrong else [])]))
    typer.echo(f"next     {following}")


@app.command()
def validate(
    scenario: options.ScenarioPath,
    set_: options.Set = None,
    offline: Annotated[bool, typer.Option("--offline", help="Do not see whether its models answer.")] = False,
    json_: options.Json = False,
    allow_import: options.AllowImport = False,
) -> None:
    """Check a scenario: its parts and models, whether its tasks suffice, and what its exams can see."""
    from .. import planning

    plan = planning.plan(scenario, set_ or [], seed=0, limit=None, allow_import=allow_import, reach=not offline)
    typer.echo(json.dumps(plan.facts(), ensure_ascii=False) if json_ else "\n".join(plan.lines()))


@app.command()
def show(
    scenario: options.ScenarioPath,
    set_: options.Set = None,
    json_: options.Json = False,
    allow_import: options.AllowImport = False,
) -> None:
    """Show every setting a session would take and where it comes from, the skills, and a task of each."""
    from .. import planning, showing

    plan = planning.plan(scenario, set_ or [], seed=0, limit=None, allow_import=allow_import)
    if json_:
        _json(showing.facts(plan))
        return
    typer.echo("\n".join(showing.lines(plan)))


@app.command()
def preview(
    scenario: options.ScenarioPath,
    count: Annotated[int, typer.Option("--samples", "-n", min=1, max=100, help="Samples to make.")] = 3,
    skill: Annotated[list[str] | None, typer.Option(metavar="NAME", help="For this skill; may be given again.")] = None,
    set_: options.Set = None,
    seed: options.Seed = 0,
    json_: options.Json = False,
    allow_import: options.AllowImport = False,
) -> None:
    """Make a few samples for real and show all that was asked and said; nothing is kept."""
    from ...memory.errors import suggest
    from .. import planning
    from ..previewing import preview

    plan = planning.plan(scenario, set_ or [], seed=seed, limit=None, allow_import=allow_import)
    known = sorted(plan.scenario.skills)
    for name in skill or ():
        if name not in known:
            raise UsageError(f"--skill {name!r}: no such skill; there are: {', '.join(known)}{suggest(name, known)}")
    made = asyncio.run(preview(plan, count, skills=skill or plan.scenario.targets))
    for number, one in enumerate(made, start=1):
        if json_:
            _json(one.facts())
        else:
            typer.echo("\n".join([f"--- {number} of {count}, for {one.skill}", *one.lines()]))
    if not json_:
        kept = sum(one.fate is not None and one.fate.kept for one in made)
        typer.echo(f"--- {kept} of {count} would be trained on; nothing was kept")


@app.command()
def schema(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="File to write; standard output without it.")
    ] = None,
) -> None:
    """Write the JSON Schema of scenarios, for editors: `#:schema ./FILE` in a scenario's first line."""
    from ...memory import files
    from ..schema import schema

    text = json.dumps(schema(), indent=1, ensure_ascii=False)
    if output is None:
        typer.echo(text)
        return
    if not output.parent.is_dir():
        raise UsageError(f"--output {output}: no such folder: {output.parent}; make it first")
    files.write_text(output, f"{text}\n")
    typer.echo(f"{output}: put `#:schema ./{output.name}` into the first line of a scenario beside it")


def _asked(about: str, option: str, *, usual: str = "") -> str:
    """What a person at a terminal says.

    Raises:
        UsageError: nobody is there, or nothing was said.
    """
    if not _attended():
        raise UsageError(f"no {about}; say it with {option}")
    typer.echo(f"{about}{f' [{usual}]' if usual else ''}: ", err=True, nl=False)
    said = sys.stdin.readline().strip() or usual
    if not said:
        raise UsageError(f"no {about}; nothing was written")
    return said


def _attended() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _looked(data: Path, prompt: str, answer: str, skill: str) -> "Guess":
    from ...scenarios.guessing import guess

    return guess(data, prompt=prompt, answer=answer, skill=skill)


def _taught(teacher: str, base_url: str, model: str, student: str) -> "Taught":
    """Who teaches, as options or a person say; without either a program."""
    from ..drafting import Taught

    usual = "llm" if base_url or model else "program"
    said = teacher or (_asked(f"teacher, {', '.join(TEACHERS)}", "--teacher", usual=usual) if _attended() else usual)
    if (kind := TEACHERS.get(said)) is None:
        raise UsageError(f"--teacher {said}: no such teacher here; there are: {', '.join(TEACHERS)}")
    if kind != "llm":
        if base_url or model:
            raise UsageError(f"teacher {kind} asks no model; leave --base-url and --model away, or say --teacher llm")
        return Taught(kind, student=student)
    return Taught(
        kind,
        base_url or _asked("endpoint of the teacher, such as http://localhost:8000/v1", "--base-url URL"),
        model or _asked("model that it serves", "--model NAME"),
        student,
    )


def _write(path: Path, text: str) -> None:
    """Write a file that is not there yet.

    Raises:
        UsageError: it is there by now, or cannot be written.
    """
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{path}: is there already and stays as it is; choose another name") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}; choose another folder") from None


def _wrong(path: Path) -> str:
    """What is wrong with a scenario that was just written; empty where nothing is."""
    from ...memory.errors import EvolventError
    from .. import planning

    try:
        planning.plan(path, [], seed=0, limit=None, allow_import=False)
    except EvolventError as error:
        return str(error)
    return ""


def _guessed(guess: "Guess | None") -> dict[str, Any]:
    if guess is None:
        return {}
    columns = {"prompt": guess.prompt, "answer": guess.answer, "skill": guess.skill}
    return {
        "rows": guess.rows,
        "columns": columns,
        "skills": dict(guess.skills),
        "verifier": guess.verifier,
        "because": guess.because,
        "procedural": guess.procedural,
    }


def _lines(guess: "Guess | None") -> list[str]:
    from ...memory.display import line

    if guess is None:
        return []
    asked = (
        f"asked in {guess.prompt!r}, answered in {guess.answer!r}"
        if guess.prompt
        else f"conversations in {guess.answer!r}"
    )
    skills = [f"skill    {line(name)}: {tasks:,} distinct tasks" for name, tasks in guess.skills.items() if name]
    where = f"skills in {guess.skill!r}" if guess.skill else "no column that names skills"
    return [
        f"read     {guess.rows:,} rows of {guess.path}; {asked}; {where}",
        *skills,
        f"verifier {guess.verifier}: {guess.because}",
    ]


def _json(facts: dict[str, Any]) -> None:
    # ASCII alone: what a model wrote must not reach the terminal as a control character
    typer.echo(json.dumps(facts, ensure_ascii=True))
