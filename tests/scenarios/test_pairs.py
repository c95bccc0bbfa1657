from pathlib import Path
from random import Random
from typing import Any

import pytest

from evolvent.memory.errors import PartError
from evolvent.memory.records import Task
from evolvent.scenarios.pairs import record, shared
from evolvent.scenarios.source import Source

from .builders import make_pairs, pair_line

INN = {"name": "the inn", "city": "rome", "phone": "06/123"}
SAME = pair_line(INN, {"name": "the inn", "city": "roma", "phone": "06-123"}, True)
OTHER = pair_line(INN, {"name": "oslo grill", "city": "oslo", "phone": "22-999"}, False)


def tasks(source: Source, named: str, **where: Any) -> list[Task]:
    return source.draw("any", {"named": named, "where": where}, 99, Random(0), allowed=lambda _: True)


def test_a_record_is_read_without_what_stands_around_its_values() -> None:
    line = "COL name VAL ` arnie morton \\ 's of chicago ' COL addr VAL ' 435 s. la ' COL phone VAL  COL class VAL 0 "
    assert record(line) == {
        "name": "arnie morton 's of chicago",
        "addr": "435 s. la",
        "phone": "",
        "class": "0",
    }


def test_pairs_are_asked_about_side_by_side(tmp_path: Path) -> None:
    source = make_pairs(tmp_path, SAME, OTHER, attributes=["name", "city"])
    assert {t.prompt: t.answer for t in tasks(source, "match")} == {
        "name the inn | the inn; city rome | roma": "same",
        "name the inn | oslo grill; city rome | oslo": "other",
    }
    assert [t.answer for t in tasks(source, "match", answer="same")] == ["same"]


def test_a_student_that_cannot_compare_texts_is_told_how_much_they_share(tmp_path: Path) -> None:
    source = make_pairs(tmp_path, SAME, OTHER, attributes=["name", "city"], shares=True)
    by_answer = {t.answer: t for t in tasks(source, "match")}
    assert by_answer["same"].prompt == "name 99, city 59"
    assert by_answer["other"].prompt == "name 00, city 00"
    assert "name alike" in by_answer["same"].features
    assert "city alike" not in by_answer["same"].features


@pytest.mark.parametrize(
    ("left", "right", "said"),
    [("abc", "ABC", "99"), ("a-b", "a b", "99"), ("abc", "xyz", "00"), ("", "abc", "-"), ("--", "abc", "-"),
     ("ab", "ac", "33")],
)  # fmt: skip
def test_what_two_values_share_is_counted_in_pairs_of_characters(left: str, right: str, said: str) -> None:
    assert shared(left, right) == shared(right, left) == said


def test_pairs_with_two_attributes_alike_are_near(tmp_path: Path) -> None:
    source = make_pairs(tmp_path, SAME, OTHER)
    assert [t.answer for t in tasks(source, "match", near=True)] == ["same"]
    assert [t.answer for t in tasks(source, "match", near=False)] == ["other"]


def test_what_is_missing_in_a_record_is_asked_for_once(tmp_path: Path) -> None:
    source = make_pairs(tmp_path, SAME, OTHER, impute=["city"])
    found = {t.prompt: t.answer for t in tasks(source, "impute")}
    assert found["name the inn; phone 06/123; city?"] == "rome"
    assert found["name oslo grill; phone 22-999; city?"] == "oslo"
    # the inn's other record means the same, and would give away what the first one is asked
    assert len(found) == 2


def test_a_question_with_two_answers_is_none(tmp_path: Path) -> None:
    source = make_pairs(tmp_path, SAME, SAME[:-1] + "0", OTHER, attributes=["name"])
    assert {t.answer for t in tasks(source, "match")} == {"other"}


def test_columns_are_compared_by_their_values(tmp_path: Path) -> None:
    rows = [
        pair_line({"name": f"inn {n}", "code": f"{n}"}, {"name": f"bar {n}", "code": f"{n}{n}"}, False)
        for n in range(20)
    ]
    found = tasks(make_pairs(tmp_path, *rows, schema_tasks=80), "schema")
    assert {t.answer for t in found} == {"same", "other"}
    for task in found:
        left, right = (("inn" in side or "bar" in side) for side in task.prompt.split(" | "))
        assert (left == right) == (task.answer == "same")


def test_further_files_are_read_and_part_of_what_a_run_rests_on(tmp_path: Path) -> None:
    (tmp_path / "more.txt").write_text(OTHER + "\n")
    source = make_pairs(tmp_path, SAME, more=["more.txt"])
    assert len(tasks(source, "match")) == 2
    before = source.fingerprint()
    (tmp_path / "more.txt").write_text(SAME.replace("inn", "bar") + "\n" + OTHER + "\n")
    assert len(tasks(source, "match")) == 3
    assert source.fingerprint() != before
    with pytest.raises(PartError, match=r"source\.more: no such file: .*none\.txt"):
        make_pairs(tmp_path, SAME, more=["none.txt"]).check("any", {"named": "match"})


@pytest.mark.parametrize(
    ("lines", "settings", "reason"),
    [
        ([SAME, "COL a VAL b\t1"], {}, r"pairs\.txt:2 is no pair of records; write 'COL name VAL value"),
        ([SAME[:-1] + "2"], {}, r"pairs\.txt:1 is no pair of records"),
        ([SAME], {"attributes": ["town"]}, r"has no attribute 'town'; it has: name, city, phone"),
        ([SAME], {"impute": ["town"]}, r"has no attribute 'town'"),
        ([], {}, r"no rows"),
        ([], {"schema_tasks": 3}, r"needs two attributes or more"),
        (["COL a VAL b\tCOL a VAL c\t1"], {"schema_tasks": 3}, r"needs two attributes or more; .*pairs\.txt has: a"),
    ],
)
def test_a_file_that_holds_no_pairs_says_where_and_why(
    tmp_path: Path, lines: list[str], settings: dict[str, Any], reason: str
) -> None:
    with pytest.raises(PartError, match=reason):
        make_pairs(tmp_path, *lines, **settings).check("any", {"named": "match"})


def test_a_byte_that_is_no_utf_8_is_named_by_its_line(tmp_path: Path) -> None:
    source = make_pairs(tmp_path, SAME)
    (tmp_path / "pairs.txt").write_bytes(f"{SAME}\n".encode() * 2 + b"\xe9")
    with pytest.raises(PartError, match=r"pairs\.txt:3: byte \d\d+ of the file is not UTF-8"):
        source.check("any", {"named": "match"})
