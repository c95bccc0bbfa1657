"""A first scenario for somebody's tasks, as a short file with comments, or a copy of a shipped one to start from."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..memory.errors import UsageError, suggest
from ..scenarios import loader
from ..scenarios.guessing import Guess
from ..training.reading import AROUND
from ..training.trainer import Trainer
from .schema import FILE

Kind = Literal["program", "llm", "pool"]

SHIPPED = Path(loader.__file__).parent
"""Folder of the shipped scenarios."""
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
SOUND = 250
"""Distinct tasks below which a skill can seldom fill four splits."""
LISTED = 12
"""Skills that a first scenario names at most."""
TEMPLATE, LETTERS = 256, 3
"""Characters that a template and a system prompt may add, and those that a token has at least, about."""
TEACHERS: dict[Kind, str] = {
    "program": "Draws training tasks from the file, aimed at what fails; no model is asked.",
    "llm": "A language model writes new tasks, and judges look at them.",
    "pool": "Picks from the file the tasks most like what fails; no model is asked.",
}
"""What each teacher does, in a line."""


@dataclass(frozen=True, slots=True)
class Taught:
    """Who teaches."""

    teacher: Kind = "program"
    base_url: str = ""
    """Endpoint of a teacher that is a language model."""
    model: str = ""
    """Name under which it serves the model."""
    student: str = ""
    """Folder of the model that is taught; empty for an embedded student, where that can read the tasks."""


def place(given: str) -> Path:
    """File that a name or a path means.

    Raises:
        UsageError: no scenario can be called so, its folder is not there, or the file is.
    """
    path = Path(given) if given.endswith(".toml") else Path(f"{given}.toml")
    if not NAME.fullmatch(path.stem):
        way = _slug(path.stem) or "my-tasks"
        raise UsageError(
            f"{given}: a scenario's name has lower-case letters, digits, '-' and '_', 64 at most; try {way!r}"
        )
    if not path.parent.is_dir():
        raise UsageError(f"{path}: no such folder: {path.parent}; make it first")
    if os.path.lexists(path):
        raise UsageError(f"{path}: is there already and stays as it is; choose another name, or remove it first")
    return path


def copied(path: Path, shipped: str) -> str:
    """A shipped scenario under the name of another file; where its data are is written out.

    Raises:
        UsageError: none of that name is shipped.
    """
    there = sorted(one.stem for one in SHIPPED.glob("*.toml"))
    name = shipped.removesuffix(".toml")
    if name not in there:
        raise UsageError(
            f"--from {shipped}: no such shipped scenario; there are: {', '.join(there)}{suggest(name, there)}"
        )
    text = (SHIPPED / f"{name}.toml").read_text(encoding="utf-8")
    text = text.replace(f"scenarios/{name}.toml", path.name)
    text = re.sub(r'^name = ".*"$', f"name = {quoted(path.stem)}", text, count=1, flags=re.MULTILINE)
    data = quoted(f"{SHIPPED.as_posix()}/data/")[:-1]
    places = re.compile(r'^(path|database) = "data/', re.MULTILINE)
    return _pointed(path) + places.sub(lambda found: f"{found[1]} = {data}", text)


def drafted(path: Path, guess: Guess, taught: Taught) -> str:
    """A scenario for a file of tasks.

    Args:
        path: where the scenario will be; the file is named from there.
        guess: what the file seems to be.
        taught: who teaches.
    """
    chosen = _chosen(guess)
    blocks = [_head(path, guess, taught), _source(path, guess, named=bool(chosen))]
    blocks.append(_named(guess, chosen) if chosen else _unnamed(path.stem, guess, taught))
    if taught.student or not _embedded(guess):
        # an id on the hub is no folder
        here = bool(taught.student) and Path(taught.student).is_dir()
        blocks.append(_student(guess, _relative(path, Path(taught.student)) if here else taught.student))
    blocks += [_endpoints(taught)] if taught.teacher == "llm" else []
    return _pointed(path) + "\n".join(blocks)


def quoted(text: str) -> str:
    """A text as TOML has it."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _pointed(path: Path) -> str:
    """The line by which editors find the schema, where that lies beside the scenario."""
    return f"#:schema ./{FILE}\n" if (path.parent / FILE).is_file() else ""


def _head(path: Path, guess: Guess, taught: Taught) -> str:
    return (
        f"# Teach a student the tasks of {guess.path.name}:  evolvent run {path.name}\n"
        f"name = {quoted(path.stem)}\n"
        f"# How an answer is judged; {guess.because}.\n"
        f"verifier = {quoted(guess.verifier)}\n"
        f"# {TEACHERS[taught.teacher]}\n"
        f"teacher = {quoted(taught.teacher)}\n"
    )


def _source(path: Path, guess: Guess, *, named: bool) -> str:
    lines = [f"# {guess.rows:,} rows.", "[source]", 'name = "file"', f"path = {quoted(_relative(path, guess.path))}"]
    usual = {"prompt": guess.prompt or "prompt", "answer": guess.answer if guess.prompt else "answer"}
    usual["skill"] = guess.skill if named else ""
    for setting, column in usual.items():
        if column == setting:
            continue
        about = "No column names skills." if not guess.skill else f"Too few rows of each {guess.skill!r} to examine it."
        lines += [f"# {about}"] if setting == "skill" and not column else []
        lines.append(f"{setting} = {quoted(column)}")
    if guess.procedural:
        lines += [
            "# Questions may look alike without being the same, as calculations and codes do.",
            "procedural = true",
        ]
    return "\n".join(lines) + "\n"


def _relative(path: Path, data: Path) -> str:
    """The file as seen from the scenario, where it lies below that, or from the folder of public data."""
    whole = data.resolve()
    if whole.is_relative_to(folder := path.parent.resolve()):
        return whole.relative_to(folder).as_posix()
    public = os.environ.get(loader.DATA)
    if public and whole.is_relative_to(root := Path(public).resolve()):
        return f"${loader.DATA}/{whole.relative_to(root).as_posix()}"
    return whole.as_posix()


def _chosen(guess: Guess) -> dict[str, str]:
    """Values of the skill column that have tasks enough, by the skill each becomes."""
    large = [value for value, tasks in guess.skills.items() if value and tasks >= SOUND][:LISTED]
    slugs = [_slug(value) or "skill" for value in large]
    return {
        slug if slugs.count(slug) == 1 else f"{slug[:60]}-{number}": value
        for number, (slug, value) in enumerate(zip(slugs, large, strict=True), start=1)
    }


def _named(guess: Guess, chosen: Mapping[str, str]) -> str:
    width = max(map(len, chosen))
    lines = ["# What is taught; { guard = true } keeps what the student knows already from getting worse.", "[skills]"]
    for skill, value in chosen.items():
        said = "{}" if value == skill else f"{{ task = {{ named = {quoted(value)} }} }}"
        lines.append(f"{skill:<{width}} = {said}  # {guess.skills[value]:,} distinct tasks")
    if left := [value for value in guess.skills if value not in chosen.values()]:
        shown = ", ".join(f"{quoted(value)} ({guess.skills[value]:,})" for value in left[:LISTED])
        lines.append(f"# Not taught: {shown}{', …' if len(left) > LISTED else ''}; {SOUND} tasks can be examined")
    return "\n".join(lines) + "\n"


def _unnamed(name: str, guess: Guess, taught: Taught) -> str:
    """One skill of all rows, or none where the teacher finds them."""
    if taught.teacher == "llm":
        return "# The teacher sorts the tasks into skills; write [skills.NAME] tables to name them yourself.\n"
    tasks = sum(guess.skills.values())
    return f"# What is taught: all rows are one skill.\n[skills]\n{name} = {{}}  # {tasks:,} distinct tasks\n"


def _embedded(guess: Guess) -> bool:
    """Whether a small student that is built from scratch can read the tasks."""
    return guess.plain and guess.longest + AROUND <= Trainer.model_fields["longest"].default


def _student(guess: Guess, model: str) -> str:
    """A model of somebody's; where none is named yet, as lines to be filled in."""
    tokens = 64 * -(-(guess.longest + TEMPLATE) // (64 * LETTERS))
    lines = [
        f"[student]\nmodel = {quoted(model or 'path/to/a/model')}",
        f"[trainer]\nlongest = {tokens}  # tokens of a sample, template and system prompt included",
        "learning_rate = 2e-4\nlora = { rank = 16 }",
    ]
    about = "# Who is taught: a folder with safetensors and a chat template, or an id on the hub with its `revision`."
    body = "\n".join(lines)
    if not model:
        about = "# These tasks are too long or no ASCII for an embedded student: name a model of yours, and uncomment."
        body = "\n".join(f"# {line}" for line in body.splitlines())
    return f"{about}\n{body}\n"


def _endpoints(taught: Taught) -> str:
    abouts = {
        "teacher": '# Any OpenAI-compatible endpoint; key = "VARIABLE" names the one that holds its key.',
        "judge": "# Who looks at what the teacher wrote; another model sees other mistakes.",
    }
    asked = f'name = "openai"\nbase_url = {quoted(taught.base_url)}\nmodel = {quoted(taught.model)}\n'
    return "\n".join(f"{about}\n[models.{role}]\n{asked}" for role, about in abouts.items())


def _slug(value: str) -> str:
    """A value as the name of a skill."""
    return re.sub(r"[^a-z0-9_-]+", "-", value.strip().lower()).strip("-_")[:64]
