"""Questions and documents as tasks: what is seen of a pair, that no question is in two splits, files that are wrong."""

import os
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest

import evolvent
from evolvent.memory.errors import PartError
from evolvent.memory.records import Task
from evolvent.scenarios import loader
from evolvent.scenarios.collection import collect
from evolvent.scenarios.relevance import Index, key
from evolvent.scenarios.source import Source
from evolvent.scenarios.splits import Splits

from .builders import make_relevance, make_scenario, make_source, make_splits

SHIPPED = Path(evolvent.__file__).parent / "scenarios" / "relevance.toml"
PUBLIC = pytest.mark.skipif(
    "EVOLVENT_DATA" not in os.environ, reason="needs the public data: set EVOLVENT_DATA to its folder"
)
DOCUMENTS = {
    "a": "lift of swept wings",
    "b": "heat in slabs",
    "c": "wings with heat",
    "d": "sound",
    "e": "lift and lift",
}
QUESTIONS = {"1": "what is the lift of wings", "2": "Heat?"}
JUDGED = [("1", "a", 2), ("1", "c", 1), ("1", "e", 0), ("2", "b", 1)]
XML = """<?xml version="1.0"?>
<xml>
<top><num> 7</num><title>
heat in
slabs</title></top>
<top><num>9</num><title>lift</title></top>
</xml>
"""


def drawn(source: Source, **where: Any) -> list[Task]:
    return source.draw("any", {"where": where}, 99, Random(0), allowed=lambda _: True)


def answers(source: Source) -> dict[str, str]:
    return {task.key.partition("/")[2]: task.answer for task in drawn(source) if "lift of wings" in task.prompt}


def many(folder: Path, **settings: Any) -> Source:
    documents = {f"d{n}": f"{('lift', 'drag')[n % 2]} of wing {n % 7} at {n}" for n in range(40)}
    questions = {f"q{n}": f"what is the {('lift', 'drag')[n % 2]} of wing {n % 9} in case {n}" for n in range(40)}
    judged = [(q, d, 1) for i, q in enumerate(questions) for d in list(documents)[i % 2 :: 8]]
    return make_relevance(folder, documents, questions, judged, **settings)


def test_a_task_asks_whether_a_document_that_a_search_finds_answers_the_question(tmp_path: Path) -> None:
    source = make_relevance(tmp_path, DOCUMENTS, QUESTIONS, JUDGED)
    assert answers(source) == {"a": "yes", "c": "yes", "e": "no"}
    assert drawn(source, answer="yes", question="2")[0].prompt == (
        "Question: Heat?\nDocument: heat in slabs\nDoes the document answer the question, yes or no?"
    )


def test_a_grade_may_be_too_low_to_answer_a_question(tmp_path: Path) -> None:
    source = make_relevance(tmp_path, DOCUMENTS, QUESTIONS, JUDGED, grade=2, negatives=0)
    assert answers(source) == {"a": "yes", "c": "no", "e": "no"}


def test_documents_that_do_not_answer_are_so_many_for_each_that_does_and_none_beyond_those_looked_at(
    tmp_path: Path,
) -> None:
    few = [("1", "a", 1)]
    assert sorted(answers(make_relevance(tmp_path, DOCUMENTS, QUESTIONS, few, negatives=1)).values()) == ["no", "yes"]
    assert sorted(answers(make_relevance(tmp_path, DOCUMENTS, QUESTIONS, few, negatives=0))) == ["a", "c", "e"]
    assert len(answers(make_relevance(tmp_path, DOCUMENTS, QUESTIONS, few, negatives=0, depth=2))) == 2


def test_who_cannot_read_is_told_the_place_and_what_is_shared(tmp_path: Path) -> None:
    source = make_relevance(tmp_path, DOCUMENTS, {"1": "lift of swept wings"}, JUDGED[:3], figures=True)
    first = next(task for task in drawn(source) if task.answer == "yes" and "place 01" in task.prompt)
    assert first.prompt.startswith("place 01, score 99, words 99, title 00, like ")
    assert "among the first" in first.features


def test_what_is_seen_rests_on_the_texts_alone(tmp_path: Path) -> None:
    make_relevance(tmp_path, DOCUMENTS, QUESTIONS, JUDGED)
    paths = [str(tmp_path / name) for name in ("corpus.jsonl", "queries.jsonl", "qrels.txt")]
    index = Index(collect(*paths))
    (tmp_path / "qrels.txt").write_text("")
    assert index.first("lift wings", 5) == Index(collect(*paths)).first("lift wings", 5)
    assert list(index.first("lift wings", 5)) == ["a", "e", "c"]
    assert index.first("unheard of", 5) == {}


def test_all_tasks_of_a_question_are_in_one_split(tmp_path: Path) -> None:
    source = many(tmp_path)
    splits = Splits(make_scenario(), source, 0)
    parts: dict[str, set[str]] = {}
    for task in drawn(source):
        parts.setdefault(task.prompt.split("\n")[0], set()).add(splits.part(task.key))
    assert len(parts) > 30
    assert all(len(own) == 1 for own in parts.values())
    assert set().union(*parts.values()) == {"probe", "exam", "report", "train"}


def test_a_question_with_two_numbers_is_one_question(tmp_path: Path) -> None:
    twice = {"1": "lift of wings", "2": " Lift of  wings"}
    source = make_relevance(tmp_path, DOCUMENTS, twice, [("1", "a", 1), ("2", "e", 1)], figures=True)
    assert len({source.group(task.key) for task in drawn(source)}) <= 1


def test_what_looks_the_same_as_another_pair_is_no_task(tmp_path: Path) -> None:
    alike = {"a": "lift of wings", "b": "lift of wings", "c": "lift of slabs"}
    source = make_relevance(tmp_path, alike, {"1": "lift"}, [("1", "a", 1), ("1", "b", 1)])
    assert [task.key.partition("/")[2] for task in drawn(source)] == ["c"]


def test_a_pair_that_somebody_writes_with_a_question_of_the_collection_belongs_to_its_split(tmp_path: Path) -> None:
    source = many(tmp_path)
    splits = Splits(make_scenario(), source, 0)
    task = next(task for task in drawn(source) if splits.part(task.key) == "exam")
    question = task.prompt.split("\n")[0]
    written = source.adopt("any", {}, f"{question}\nDocument: a new one\nDoes it?", "no")
    assert written.key != task.key
    assert splits.owner(written.key) == "exam"
    assert splits.owner(source.adopt("any", {}, "Question: new?\nDocument: new", "no").key) == "train"


def test_questions_in_xml_may_be_named_by_their_place(tmp_path: Path) -> None:
    make_relevance(tmp_path, DOCUMENTS, QUESTIONS, JUDGED)
    (tmp_path / "topics.xml").write_text(XML)
    paths = [str(tmp_path / name) for name in ("corpus.jsonl", "topics.xml", "qrels.txt")]
    found = collect(*paths, by_place=True)
    assert found.questions == {"7": "heat in slabs", "9": "lift"}
    assert found.grades == {"7": {"a": 2, "c": 1, "e": 0}, "9": {"b": 1}}
    with pytest.raises(PartError, match=r"qrels\.txt:1: question '1' is not in .*set source\.by_place = true"):
        collect(*paths)


def test_judgements_are_read_as_trec_and_as_beir_has_them(tmp_path: Path) -> None:
    make_relevance(tmp_path, DOCUMENTS, QUESTIONS, JUDGED)
    paths = [str(tmp_path / name) for name in ("corpus.jsonl", "queries.jsonl", "qrels.txt")]
    trec = collect(*paths)
    lines = [f"{q}\t{d}\t{grade}" for q, d, grade in JUDGED]
    (tmp_path / "qrels.txt").write_text("\n".join(["query-id\tcorpus-id\tscore", *lines]))
    assert collect(*paths) == trec


def test_judgements_of_documents_that_are_not_there_are_counted(tmp_path: Path) -> None:
    source = make_relevance(tmp_path, DOCUMENTS, QUESTIONS, [*JUDGED, ("1", "z", 1)])
    assert source.remarks() == ("qrels.txt: left out: 1 judgements of documents that are not there",)
    assert make_relevance(tmp_path, DOCUMENTS, QUESTIONS, JUDGED).remarks() == ()


def test_all_three_files_are_part_of_what_a_run_rests_on(tmp_path: Path) -> None:
    before = make_relevance(tmp_path, DOCUMENTS, QUESTIONS, JUDGED).fingerprint()
    source = make_relevance(tmp_path, DOCUMENTS, QUESTIONS, JUDGED[:2])
    assert source.fingerprint() != before
    assert answers(source) == {"a": "yes", "c": "yes", "e": "no"}


@pytest.mark.parametrize(
    ("files", "settings", "reason"),
    [
        ({"qrels.txt": "1 0 a 1\n1 0 a\tx\n"}, {}, r"qrels\.txt:2: .* is no judgement; write 'question 0 document"),
        ({"qrels.txt": "1 0 a 1\n3 0 a 1\n"}, {}, r"qrels\.txt:2: question '3' is not in .*queries\.jsonl"),
        ({"qrels.txt": "3 0 a 1\n"}, {"by_place": True}, r"qrels\.txt:1: question '3' is not in .*queries\.jsonl$"),
        ({"corpus.jsonl": '{"text": "a"}\n'}, {}, r"corpus\.jsonl:1 has no number; write it as '_id'"),
        ({"corpus.jsonl": '{"_id": 1}\n{"_id": "1"}\n'}, {}, r"corpus\.jsonl:2: number '1' is there twice"),
        ({"corpus.jsonl": "{oops"}, {}, r"corpus\.jsonl:1: not JSON"),
        ({"queries.jsonl": ""}, {}, r"queries\.jsonl: nothing in it; write a document or a question each"),
        ({"q.xml": "<top>\n<num>1</num>\n<num></top>"}, {"questions": "q.xml"}, r"q\.xml:3: not XML: mismatched tag"),
        ({"q.xml": '<?xml version="1.0"?>\n<a>\n</b>'}, {"questions": "q.xml"}, r"q\.xml:3: not XML"),
        ({"q.xml": "<top><num>1</num></top><top/>"}, {"questions": "q.xml"}, r"q\.xml:2 has no number"),
        ({}, {"questions": "none.xml"}, r"source\.questions: no such file: .*none\.xml; a path is relative to the doc"),
        ({"queries.jsonl": '{"_id": 1, "text": "unheard of"}', "qrels.txt": ""}, {}, r"corpus\.jsonl: no rows"),
    ],
)
def test_a_collection_that_cannot_be_read_says_where_and_why(
    tmp_path: Path, files: Mapping[str, str], settings: dict[str, Any], reason: str
) -> None:
    given = {"questions": "queries.jsonl", "judgements": "qrels.txt", **settings}
    make_relevance(tmp_path, DOCUMENTS, QUESTIONS, JUDGED)
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    source = make_source("relevance", path=str(tmp_path / "corpus.jsonl"), **given)
    with pytest.raises(PartError, match=reason):
        source.check("any", {})


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl", "qrels.txt"])
def test_a_file_of_a_collection_that_is_not_utf_8_is_named(tmp_path: Path, name: str) -> None:
    source = make_relevance(tmp_path, DOCUMENTS, QUESTIONS, JUDGED)
    (tmp_path / name).write_bytes(b"\xff\xfe 0 a 1")
    with pytest.raises(PartError, match=rf"{name}.*is not UTF-8; save the file as UTF-8"):
        source.check("any", {})


def test_a_pair_has_no_other_key_than_its_own(tmp_path: Path) -> None:
    with pytest.raises(PartError, match="a pair is known by its question and its document; leave key away"):
        make_relevance(tmp_path, DOCUMENTS, QUESTIONS, JUDGED, key="document")


@PUBLIC
def test_no_question_of_cranfield_is_in_two_splits_and_no_exam_item_looks_like_a_training_task() -> None:
    scenario = loader.load(SHIPPED)
    splits = make_splits(scenario)
    tasks = {
        part: [t for skill in scenario.skills for t in splits.draw(skill, part, 9_999, stream="all")]
        for part in ("probe", "exam", "report", "train")
    }
    questions = [{splits.source.group(task.key) for task in own} for own in tasks.values()]
    assert sum(map(len, questions)) == len(set().union(*questions)) > 200
    prompts = [task.prompt for own in tasks.values() for task in own]
    assert len(prompts) == len(set(prompts)) > 1_700
    assert 0.45 < sum(task.answer == "yes" for own in tasks.values() for task in own) / len(prompts) < 0.55


@PUBLIC
def test_cranfield_s_judgements_go_by_the_place_of_a_question() -> None:
    folder = Path(loader.load(SHIPPED).source.settings["path"]).parent
    paths = [str(folder / name) for name in ("cran.all.1400.xml", "cran.qry.xml", "cranqrel.trec.txt")]
    found = collect(*paths, by_place=True)
    assert (len(found.documents), len(found.questions), found.lost) == (1400, 225, 0)
    assert found.grades["1"]["184"] == 1
    assert key(found.questions["4"], "5").endswith("/5")
