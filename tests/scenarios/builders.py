"""Builders for the tests of this folder."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from evolvent.memory.parts import PartSpec, load
from evolvent.memory.records import Task
from evolvent.scenarios.schema import Scenario
from evolvent.scenarios.source import Source
from evolvent.scenarios.splits import Splits
from evolvent.scenarios.verifier import Verifier

SOURCES = "evolvent.scenarios.sources"
VERIFIERS = "evolvent.scenarios.verifiers"
LIBRARY = """
CREATE TABLE author (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE book (id INTEGER PRIMARY KEY, title TEXT, genre TEXT, pages INTEGER, author_id INTEGER REFERENCES author);
INSERT INTO author VALUES (1, 'Ada'), (2, 'Ben'), (3, 'Cleo');
INSERT INTO book VALUES (1, 'Dawn', 'crime', 90, 1), (2, 'Ebb', 'drama', 120, 1), (3, 'Fog', 'crime', 300, 2);
"""
"""A script that makes a small database."""
FORMS: dict[str, Any] = {
    "talk": {
        "texts": ["{name} owes {total} for {items}.", "{total} from {name}: {items}"],
        "fields": {"name": "person", "total": "amount", "items": "items"},
    },
    "short": {"texts": ["{name}, {city}", "{name}?"], "fields": {"name": "person", "city": ["Rome", "Oslo"]}},
}
"""Forms of documents."""
ADD: dict[str, Any] = {"operation": "add", "digits": 2}


def make_task(*, answer: str = "12", prompt: str = "5+7", key: str = "add:5,7") -> Task:
    return Task(skill="add", prompt=prompt, answer=answer, key=key)


def make_scenario(**settings: Any) -> Scenario:
    """Two skills of addition, unless told otherwise."""
    skills = {"easy": {"guard": True, "task": {**ADD, "carries": [0, 0]}}, "hard": {"task": {**ADD, "carries": [1, 2]}}}
    return Scenario.model_validate({"name": "test", "source": "arithmetic", "skills": skills, **settings})


def make_source(name: str, **settings: Any) -> Source:
    return load(PartSpec(name=name, settings=settings), base=Source, package=SOURCES, where="test")


def make_verifier(name: str, **settings: Any) -> Verifier:
    return load(PartSpec(name=name, settings=settings), base=Verifier, package=VERIFIERS, where="test")


def make_splits(scenario: Scenario, *, seed: int = 0) -> Splits:
    return Splits(scenario, load(scenario.source, base=Source, package=SOURCES, where="test"), seed)


def write_file(folder: Path, *lines: str) -> Path:
    """Write a JSON Lines file."""
    path = folder / "tasks.jsonl"
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def row_line(prompt: str, answer: str = "yes", **values: Any) -> str:
    import json

    row: Mapping[str, Any] = {"prompt": prompt, "answer": answer, "skill": "talk", **values}
    return json.dumps(row)


def make_table(folder: Path, text: str, *, name: str = "tasks.csv", **settings: Any) -> Source:
    """Write a file of cells and make a source of it."""
    (folder / name).write_text(text, encoding="utf-8")
    given = {"prompt": "What is the {kind} of {n}?", "answer": "root", **settings}
    return make_source("table", path=str(folder / name), **given)


def save_rows(folder: Path, *lines: str) -> str:
    """Save lines as a data set of the Hugging Face library."""
    import json

    from datasets import Dataset

    Dataset.from_list([json.loads(line) for line in lines]).save_to_disk(folder / "saved")
    return str(folder / "saved")


def make_database(folder: Path, script: str, *, name: str = "tasks.sqlite", **settings: Any) -> Source:
    """Write a SQLite file and make a source of it."""
    with closing(sqlite3.connect(folder / name)) as file:
        file.executescript(script)
    return make_source("database", path=str(folder / name), **settings)


def make_cells(
    folder: Path, clean: list[dict[str, str]], *, wrong: Mapping[tuple[int, str], str] | None = None
) -> Source:
    """Write a table with some wrong cells, and its clean values, and make a source of them."""
    names = list(clean[0])
    dirty = [
        {**row, **{name: text for (at, name), text in (wrong or {}).items() if at == n}} for n, row in enumerate(clean)
    ]
    (folder / "dirty.csv").write_text("\n".join([",".join(names), *(",".join(row.values()) for row in dirty)]) + "\n")
    values = [f"{n},{name},{text}" for n, row in enumerate(clean) for name, text in row.items()]
    (folder / "clean.csv").write_text("\n".join(["tid,attribute,correct_val", *values]) + "\n")
    return make_source("cells", path=str(folder / "dirty.csv"), clean="clean.csv")


def pair_line(left: Mapping[str, str], right: Mapping[str, str], same: bool) -> str:
    """Write two records and their label as the data sets of entity matching have them."""
    sides = (" ".join(f"COL {name} VAL {value}" for name, value in side.items()) for side in (left, right))
    return "\t".join([*sides, str(int(same))])


def make_pairs(folder: Path, *lines: str, **settings: Any) -> Source:
    """Write a file of pairs and make a source of it."""
    (folder / "pairs.txt").write_text("".join(f"{line}\n" for line in lines))
    return make_source("pairs", path=str(folder / "pairs.txt"), **settings)


def make_relevance(
    folder: Path,
    documents: Mapping[str, str],
    questions: Mapping[str, str],
    judged: Sequence[tuple[str, str, int]],
    **settings: Any,
) -> Source:
    """Write a collection as BEIR has it, its judgements as TREC has them, and make a source of it."""
    import json

    for name, texts in (("corpus.jsonl", documents), ("queries.jsonl", questions)):
        rows = [{"_id": number, "title": "", "text": text} for number, text in texts.items()]
        (folder / name).write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    (folder / "qrels.txt").write_text("".join(f"{q} 0 {d} {grade}\n" for q, d, grade in judged))
    given = {"questions": "queries.jsonl", "judgements": "qrels.txt", **settings}
    return make_source("relevance", path=str(folder / "corpus.jsonl"), **given)
