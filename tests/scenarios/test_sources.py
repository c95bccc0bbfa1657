import gzip
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evolvent.memory.errors import PartError
from evolvent.memory.parts import known
from evolvent.memory.records import Task
from evolvent.scenarios.source import Source
from evolvent.scenarios.splits import place

from .builders import (
    FORMS,
    LIBRARY,
    SOURCES,
    make_cells,
    make_database,
    make_pairs,
    make_relevance,
    make_source,
    make_table,
    pair_line,
    row_line,
    save_rows,
    write_file,
)

Setup = tuple[Source, str, dict[str, Any]]
"""A source, a skill and its settings."""
LINES = [
    row_line(f"What is the {w} of {n}?", f"{w} {n}", features=[w], thumb="up")
    for n in range(40)
    for w in ("root", "half")
]
TABLE = "n,kind,odd\n" + "".join(f"{n},{w},no\n" for n in range(40) for w in ("root", "half"))
CELLS = [{"City": f"town {n}", "Code": f"a{n}"} for n in range(40)]
PAIRS = [
    pair_line(
        {"name": f"the grand inn {city} {n}", "city": city},
        {"name": f"the grand inn {city} {n * m}", "city": city},
        m == 1,
    )
    for n in range(11, 41)
    for city, m in (("rome", 1), ("oslo", 10))
]
ABSTRACTS = {f"d{n}": f"{('lift', 'drag', 'heat')[n % 3]} of wing {n % 7} " * (n % 4 + 1) for n in range(60)}
QUESTIONS = {f"q{n}": f"what is the {('lift', 'drag', 'heat')[n % 3]} of wing {n}" for n in range(30)}
JUDGED = [(f"q{n}", f"d{m}", int((n + m) % 4 == 0)) for n in range(30) for m in range(n % 3, 60, 3)]
KINDS: Mapping[str, Sequence[dict[str, Any]]] = {
    "arithmetic": [
        {"operation": "add", "digits": 2},
        {"operation": "subtract", "carries": [1, 2]},
        {"operation": "multiply", "by": [4, 7]},
        {"operation": "coin", "digits": 3},
    ],
    "cells": [{}, {"where": {"answer": "clean"}}],
    "database": [{}, {"shapes": ["filter", "join"], "tables": ["book"]}],
    "documents": [{}, {"forms": ["talk", "short"]}],
    "file": [{}],
    "huggingface": [{}, {"named": "talk"}],
    "logs": [{}, {"where": {"thumb": "up"}}],
    "pairs": [
        {"named": "match"},
        {"named": "impute"},
        {"named": "schema"},
        {"named": "match", "where": {"near": True}},
    ],
    "reasoning_gym": [
        {"name": "gcd", "items": 2_000},
        {"name": "spell_backward", "level": 1},
        {"name": "chain_sum", "levels": {"num_terms": 2}, "config": {"allow_negation": True}},
    ],
    "relevance": [{}, {"where": {"near": True}}],
    "scan": [{}, {"having": ["jump"], "actions": [1, 22]}],
    "table": [{}, {"where": {"odd": "no"}}],
}
"""Settings of a skill to try a source with; a new source adds its own here."""
BRINGS: Mapping[str, Callable[[Path], Source]] = {
    "cells": lambda folder: make_cells(folder, CELLS),
    "database": lambda folder: make_database(folder, LIBRARY),
    "documents": lambda _: make_source("documents", forms=FORMS),
    "file": lambda folder: make_source("file", path=str(write_file(folder, *LINES))),
    "huggingface": lambda folder: make_source("huggingface", path=save_rows(folder, *LINES), skill="skill"),
    "logs": lambda folder: make_source(
        "logs", path=str(write_file(folder, *LINES)), response="answer", feedback="thumb"
    ),
    "pairs": lambda folder: make_pairs(folder, *PAIRS, impute=["city"], schema_tasks=60),
    "relevance": lambda folder: make_relevance(folder, ABSTRACTS, QUESTIONS, JUDGED),
    "table": lambda folder: make_table(folder, TABLE, prompt="What is the {kind} of {n}?", answer="{kind} {n}"),
}
"""Sources that something has to be brought to."""
CASES = [(name, kind) for name in known(SOURCES) for kind in KINDS[name]]


@pytest.fixture(params=CASES, ids=str)
def setup(request: pytest.FixtureRequest, tmp_path: Path) -> Setup:
    name, kind = request.param
    if name == "reasoning_gym" and find_spec(name) is None:
        pytest.skip("reasoning-gym is not installed")
    return BRINGS.get(name, lambda _: make_source(name))(tmp_path), "talk", kind


def draw(setup: Setup, count: int, *, seed: int = 0, half: bool = False, **features: Sequence[str]) -> list[Task]:
    """Draw from all keys, or from about half of them."""
    source, skill, kind = setup
    allowed: Callable[[str], bool] = lambda key: not half or place(key, "test") < 0.5  # noqa: E731
    return source.draw(skill, kind, count, Random(seed), allowed=allowed, **features)


def test_every_source_has_settings_to_be_tried_with() -> None:
    assert sorted(KINDS) == known(SOURCES)


def test_a_draw_is_fixed_by_its_seed(setup: Setup) -> None:
    assert draw(setup, 20) == draw(setup, 20) != draw(setup, 20, seed=1)


def test_drawn_tasks_are_distinct_and_of_the_skill(setup: Setup) -> None:
    tasks = draw(setup, 40)
    assert len({t.key for t in tasks}) == len({t.prompt for t in tasks}) == 40
    assert {t.skill for t in tasks} == {"talk"}


def test_only_allowed_tasks_are_drawn(setup: Setup) -> None:
    tasks = draw(setup, 20, half=True)
    assert len(tasks) == 20
    assert all(place(t.key, "test") < 0.5 for t in tasks)


def test_nothing_is_drawn_where_nothing_is_allowed(setup: Setup) -> None:
    source, skill, kind = setup
    assert source.draw(skill, kind, 3, Random(0), allowed=lambda _: False) == []


def test_no_more_is_drawn_than_there_is(setup: Setup) -> None:
    source, skill, kind = setup
    assert len(draw(setup, 100)) <= source.size(skill, kind)


def test_features_are_had_or_lacked_as_asked(setup: Setup) -> None:
    tasks = draw(setup, 40)
    feature = next(f for t in tasks for f in t.features if 5 < sum(f in o.features for o in tasks) < 35)
    assert all(feature in t.features for t in draw(setup, 10, having=[feature]))
    assert all(feature not in t.features for t in draw(setup, 10, lacking=[feature]))
    assert draw(setup, 10, having=[feature], lacking=[feature]) == []


def test_the_second_way_to_solve_agrees_with_the_first(setup: Setup) -> None:
    assert all(setup[0].solve(task) == task.answer for task in draw(setup, 60))


def test_a_task_that_somebody_else_writes_is_the_one_that_would_be_drawn(setup: Setup) -> None:
    source, skill, kind = setup
    for task in draw(setup, 20):
        adopted = source.adopt(skill, kind, task.prompt, "whatever they say")
        assert (adopted.key, adopted.prompt, adopted.answer) == (task.key, task.prompt, "whatever they say")
        assert set(adopted.features) <= set(task.features)
        assert source.holds(adopted.key)


def test_settings_it_was_made_for_pass_the_check_and_others_do_not(setup: Setup) -> None:
    source, skill, kind = setup
    source.check(skill, kind)
    with pytest.raises(PartError, match=r"skills\.talk\.task.* has no setting 'nonsense'"):
        source.check(skill, {**kind, "nonsense": 1})


def test_a_rule_is_put_in_words(setup: Setup) -> None:
    assert setup[0].phrase(draw(setup, 1)[0].features[:2])


@pytest.mark.parametrize("carries", [None, [0, 0], [1, 1], [1, 2], [2, 2]])
@pytest.mark.parametrize("operation", ["add", "subtract"])
def test_arithmetic_counts_what_brute_force_finds(operation: str, carries: list[int] | None) -> None:
    kind = {"operation": operation, "digits": 2, "carries": carries}
    found: set[tuple[int, int]] = set()
    for a in range(10, 100):
        for b in range(10, 100):
            x, y = a % 10, b % 10
            if operation == "add":
                first, second = x + y > 9, a + b > 99
            else:
                first, second = x < y, False
            if (operation == "add" or a >= b) and (carries is None or carries[0] <= first + second <= carries[1]):
                found.add((min(a, b), max(a, b)) if operation == "add" else (a, b))
    assert make_source("arithmetic").size("talk", kind) == len(found)


@pytest.mark.parametrize("carries", [None, [0, 0], [1, 1], [2, 3]])
def test_arithmetic_counts_products_by_the_columns_that_carry(carries: list[int] | None) -> None:
    kind = {"operation": "multiply", "digits": 3, "by": [2, 7, 7], "carries": carries}
    columns = [[a % 10**n * b >= 10**n for n in (1, 2, 3)] for a in range(100, 1000) for b in (2, 7)]
    wanted = [c for c in columns if carries is None or carries[0] <= sum(c) <= carries[1]]
    assert make_source("arithmetic").size("talk", kind) == len(wanted)


@settings(max_examples=30)
@given(
    st.sampled_from(["add", "subtract", "multiply"]), st.integers(1, 6), st.integers(0, 99), st.booleans(),
    st.sampled_from([0, 6, 9]),
)  # fmt: skip
def test_both_ways_of_writing_numbers_give_the_right_result(
    operation: str, digits: int, seed: int, last: bool, width: int
) -> None:
    source = make_source("arithmetic", order="ones-last" if last else "ones-first", width=width)
    (task,) = source.draw("talk", {"operation": operation, "digits": digits}, 1, Random(seed), allowed=lambda _: True)
    sign = next(s for s in "+-*" if s in task.prompt)
    step = 1 if last else -1
    a, b = (int(part[::step]) for part in task.prompt.split(sign))
    assert int(task.answer[::step]) == {"+": a + b, "-": a - b, "*": a * b}[sign]
    assert source.solve(task) == task.answer
    assert source.adopt("talk", {"operation": operation, "digits": digits}, task.prompt, task.answer) == task


def test_in_a_register_an_answer_has_as_many_places_for_short_numbers_as_for_long_ones() -> None:
    source = make_source("arithmetic", width=12)
    short, long = (
        source.draw("talk", {"operation": "add", "digits": n}, 20, Random(0), allowed=lambda _: True) for n in (2, 12)
    )
    assert {len(task.prompt) for task in [*short, *long]} == {25}
    assert {len(task.answer) for task in [*short, *long]} == {13}
    with pytest.raises(PartError, match=r"skills\.talk\.task: 13 digits do not fit source\.width = 12; use 13 or more"):
        source.check("talk", {"operation": "add", "digits": 13})


def test_a_sum_is_the_same_task_either_way_round_and_a_difference_is_not() -> None:
    source = make_source("arithmetic")
    everything = source.draw("talk", {"operation": "add", "digits": 1}, 45, Random(0), allowed=lambda _: True)
    assert len({frozenset(t.prompt.split("+")) for t in everything}) == 45
    assert source.size("talk", {"operation": "add", "digits": 1}) == 45


@pytest.mark.parametrize(
    ("kind", "prompt"),
    [
        ({"operation": "add"}, "hello"), ({"operation": "add"}, "123*456"), ({"operation": "add"}, "12+345"),
        ({"operation": "add"}, "123+45"), ({"operation": "add"}, "123＋456"), ({"operation": "add"}, " 123+456"),
        ({"operation": "add", "carries": [1, 3]}, "111+111"), ({"operation": "subtract"}, "111-222"),
        ({"operation": "multiply", "by": [4]}, "123*5"), ({"operation": "coin"}, "123+456"),
        ({"operation": "coin", "digits": 4}, "flip 123"), ({"operation": "add"}, "flip 123"),
    ],
)  # fmt: skip
def test_what_is_no_task_of_a_skill_is_not_adopted(kind: dict[str, Any], prompt: str) -> None:
    with pytest.raises(ValueError, match="is no task of skill 'talk'"):
        make_source("arithmetic").adopt("talk", kind, prompt, "0")


def test_the_coin_is_fair() -> None:
    tasks = make_source("arithmetic").draw("talk", {"operation": "coin"}, 800, Random(0), allowed=lambda _: True)
    assert 0.44 < sum(t.answer == "heads" for t in tasks) / 800 < 0.56


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ({"operation": "divide"}, r"skills\.talk\.task: source 'arithmetic': operation: .*, not 'divide'"),
        ({"operation": "add", "carries": [2, 1]}, r"carries \[2, 1\] with 3 digits; use 0 to 3, lowest first"),
        ({"operation": "add", "carries": [0, 4]}, r"carries \[0, 4\] with 3 digits"),
        ({"operation": "multiply", "by": [12]}, r"by \[12\]; use digits 1 to 9"),
        ({"operation": "multiply", "by": []}, r"by \[\]; use digits 1 to 9"),
    ],
)
def test_arithmetic_that_describes_no_calculation_is_refused(kind: dict[str, Any], reason: str) -> None:
    with pytest.raises(PartError, match=reason):
        make_source("arithmetic").check("talk", kind)


def test_the_order_of_a_file_changes_nothing(tmp_path: Path) -> None:
    (there := tmp_path / "there").mkdir()
    sources = [
        make_source("file", path=str(write_file(folder, *lines)))
        for folder, lines in ((tmp_path, LINES), (there, LINES[::-1]))
    ]
    one, two = (s.draw("talk", {}, 20, Random(3), allowed=lambda _: True) for s in sources)
    assert one == two


def test_a_prompt_is_the_same_task_however_it_is_spaced_and_capitalised(tmp_path: Path) -> None:
    path = write_file(tmp_path, row_line("Is it ｈot?"), row_line("IS  it hot? "), row_line("is it cold?"))
    assert make_source("file", path=str(path)).size("talk", {}) == 2


def test_prose_is_the_same_task_however_it_is_punctuated_and_calculations_are_not(tmp_path: Path) -> None:
    path = write_file(tmp_path, row_line("Is it hot?"), row_line("is it hot!"), row_line("?!"), row_line("..."))
    assert make_source("file", path=str(path)).size("talk", {}) == 3
    assert make_source("file", path=str(path)).adopt("talk", {}, "Is it, hot", "x").key in {
        t.key for t in make_source("file", path=str(path)).draw("talk", {}, 9, Random(0), allowed=lambda _: True)
    }
    assert make_source("file", path=str(path), procedural=True).size("talk", {}) == 4


def test_a_key_column_says_what_is_the_same_task(tmp_path: Path) -> None:
    path = write_file(tmp_path, row_line("one", id=1), row_line("two", id=1), row_line("one", id=2))
    source = make_source("file", path=str(path), key="id")
    assert source.size("talk", {}) == 2
    assert {t.key for t in source.draw("talk", {}, 5, Random(0), allowed=lambda _: True)} == {"1", "2"}


def test_a_copied_row_has_the_key_of_its_column_and_a_new_one_is_in_no_file(tmp_path: Path) -> None:
    source = make_source("file", path=str(write_file(tmp_path, row_line("One", id=1), row_line("two", id=2))), key="id")
    assert source.adopt("talk", {}, " one", "x").key == "1"
    assert not source.holds(source.adopt("talk", {}, "three", "x").key)


def test_rows_are_chosen_by_name_and_by_the_values_of_columns(tmp_path: Path) -> None:
    path = write_file(tmp_path, *(row_line(f"p{n}", level=n % 3, hard=n > 4) for n in range(9)))
    source = make_source("file", path=str(path))
    assert source.size("any", {"named": "talk", "where": {"level": 1}}) == 3
    assert source.size("talk", {"where": {"level": 1, "hard": True}}) == 1
    assert make_source("file", path=str(path), skill="").size("any", {"where": {"hard": False}}) == 5


def test_columns_may_have_other_names_and_answers_may_be_numbers(tmp_path: Path) -> None:
    path = write_file(tmp_path, '{"q": "5+7", "a": 12}')
    source = make_source("file", path=str(path), prompt="q", answer="a", skill="")
    (task,) = source.draw("sum", {}, 1, Random(0), allowed=lambda _: True)
    assert (task.prompt, task.answer, source.solve(task)) == ("5+7", "12", "12")


def test_words_become_features_unless_all_or_hardly_any_prompts_have_them(tmp_path: Path) -> None:
    prompts = [f"{('cold', 'hot')[n % 2]} tea {chr(97 + n % 26) * n}" for n in range(1, 201)]
    path = write_file(tmp_path, *map(row_line, prompts))
    source = make_source("file", path=str(path))
    features = {f for t in source.draw("talk", {}, 200, Random(0), allowed=lambda _: True) for f in t.features}
    assert {"contains hot", "starts with cold", "words 2 to 3", "characters 64 to 127"} <= features
    assert not {"contains tea", "contains bb", "has digit"} & features


def test_a_parquet_file_holds_the_same_tasks_as_its_lines(tmp_path: Path) -> None:
    import json

    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist([json.loads(line) for line in LINES]), tmp_path / "tasks.parquet")
    paths = (str(tmp_path / "tasks.parquet"), str(write_file(tmp_path, *LINES)))
    one, two = (make_source("file", path=p).draw("talk", {}, 30, Random(0), allowed=lambda _: True) for p in paths)
    assert one == two


def test_a_row_may_have_a_document_that_its_task_does_not_show(tmp_path: Path) -> None:
    path = str(write_file(tmp_path, row_line("q 1", "a", notes="the passage"), row_line("q 2", "b")))
    source = make_source("file", path=path, context="notes")
    tasks = source.draw("talk", {}, 2, Random(0), allowed=bool)
    assert {task.prompt: source.document(task.key) for task in tasks} == {"q 1": "the passage", "q 2": ""}
    assert "passage" not in str(tasks)
    assert make_source("file", path=path).document(tasks[0].key) == ""
    assert "context" not in make_source("file", path=path).describe()


def test_a_column_of_documents_that_no_row_has_is_refused(tmp_path: Path) -> None:
    source = make_source("file", path=str(write_file(tmp_path, row_line("q", "a", notes="x"))), context="note")
    with pytest.raises(PartError, match=r"source.context: .*has no column 'note'; did you mean 'notes'\?"):
        source.check("talk", {})


def test_a_file_that_changes_is_read_again(tmp_path: Path) -> None:
    source = make_source("file", path=str(write_file(tmp_path, *LINES[:3])))
    assert source.size("talk", {}) == 3
    write_file(tmp_path, *LINES[:5])
    assert source.size("talk", {}) == 5


def test_prose_is_what_a_file_holds_unless_it_says_otherwise(tmp_path: Path) -> None:
    path = str(write_file(tmp_path, *LINES))
    assert [make_source("file", path=path, procedural=p).prose for p in (False, True)] == [True, False]


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([], r"tasks\.jsonl: no rows; write one a task, with 'prompt' and 'answer'"),
        (["", "  "], r"no rows"),
        ([LINES[0], "{oops"], r"tasks\.jsonl:2: not JSON: .*; write one object a line"),
        ([LINES[0], "[1]"], r"tasks\.jsonl:2: \[1\] is not an object"),
        (["[" * 100_000], r"tasks\.jsonl:1: not JSON"),
        (
            ['{"promt": "a", "answer": "b"}'],
            r":1 has no column 'prompt'; did you mean 'promt'\?; it has: answer, promt",
        ),
        (['{"prompt": "a", "answer": "b"}'], r"no column 'skill'; it has: answer, prompt; set source\.skill = \"\""),
        ([row_line("a", answer="")], r":1: 'answer' is ''; write a text or a number"),
        (['{"prompt": null, "answer": "b", "skill": "talk"}'], r":1: 'prompt' is None; write a text"),
        (['{"prompt": true, "answer": "b", "skill": "talk"}'], r":1: 'prompt' is True; write a text"),
        (['{"prompt": "a\\ud800", "answer": "b", "skill": "talk"}'], r"'prompt' holds half a surrogate pair"),
        ([row_line("a", features="hot")], r":1: 'features' is 'hot'; write a list of texts"),
        (
            [row_line("a", "yes"), row_line("b"), row_line("A", "no")],
            r"lines 1 and 3 are the same task, .*'yes' and 'no'",
        ),
        (["x" * ((1 << 20) + 1)], r"tasks\.jsonl:1: longer than 1,048,576 bytes"),
    ],
)
def test_a_file_that_cannot_be_used_says_where_and_why(tmp_path: Path, lines: list[str], reason: str) -> None:
    source = make_source("file", path=str(write_file(tmp_path, *lines)))
    with pytest.raises(PartError, match=reason) as caught:
        source.check("talk", {})
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_a_file_that_is_not_there_or_not_parquet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PartError, match=r"source\.path: no such file: .*none\.jsonl"):
        make_source("file", path=str(tmp_path / "none.jsonl")).check("talk", {})
    (tmp_path / "odd.parquet").write_text("no")
    with pytest.raises(PartError, match=r"odd\.parquet: not a Parquet file: "):
        make_source("file", path=str(tmp_path / "odd.parquet")).check("talk", {})


def test_a_file_that_is_not_utf_8_names_line_and_byte(tmp_path: Path) -> None:
    path = tmp_path / "tasks.jsonl"
    path.write_bytes(LINES[0].encode() + b"\n{\xe9}\n")
    with pytest.raises(PartError, match=r"tasks\.jsonl:2: byte 1 is not UTF-8"):
        make_source("file", path=str(path)).check("talk", {})


@pytest.mark.parametrize(
    ("skill", "kind", "reason"),
    [
        ("tlak", {}, r"skills\.tlak: no row of .* has skill 'tlak'; did you mean 'talk'\?; it has: talk"),
        ("talk", {"where": {"levle": 1}}, r"skills\.talk\.task\.where: .* has no column 'levle'; did you mean 'level'"),
        ("talk", {"where": {"level": 9}}, r"skills\.talk\.task\.where: no row of .* meets \{'level': 9\}"),
        ("talk", {"where": {"level": [1]}}, r"skills\.talk\.task: source 'file': where\.level"),
    ],
)
def test_a_skill_that_no_row_has_is_refused(tmp_path: Path, skill: str, kind: dict[str, Any], reason: str) -> None:
    source = make_source("file", path=str(write_file(tmp_path, row_line("a", level=1))))
    with pytest.raises(PartError, match=reason):
        source.check(skill, kind)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.text(min_size=1).filter(str.strip), min_size=1, max_size=20))
def test_whatever_prompts_a_file_holds_all_can_be_drawn(tmp_path: Path, prompts: list[str]) -> None:
    source = make_source("file", path=str(write_file(tmp_path, *(row_line(p) for p in prompts))))
    tasks = source.draw("talk", {}, 50, Random(0), allowed=lambda _: True)
    assert len(tasks) == source.size("talk", {})
    assert {t.prompt for t in tasks} <= set(prompts)


@pytest.mark.parametrize("place", ["~nouser/x.jsonl", "x" * 5000, "a\0b.jsonl"])
def test_a_path_that_no_file_can_have_is_refused_in_one_line(place: str) -> None:
    with pytest.raises(PartError, match=r"source\.path: no such file: ") as caught:
        make_source("file", path=place).check("talk", {})
    assert len(str(caught.value)) < 1000


def test_a_file_gives_what_only_the_verifier_sees(tmp_path: Path) -> None:
    path = str(write_file(tmp_path, row_line("def f(x):", "return x", test="assert f(1) == 1")))
    source = make_source("file", path=path, checks="test")
    (task,) = source.draw("talk", {}, 1, Random(0), allowed=lambda _: True)
    assert task.checks == "assert f(1) == 1"
    assert source.adopt("talk", {}, "def f(x):", "return x").checks == task.checks
    assert source.adopt("talk", {}, "def g(x):", "return x").checks == ""
    assert "checks" not in make_source("file", path=path).describe()
    plain = make_source("file", path=path).draw("talk", {}, 1, Random(0), allowed=lambda _: True)[0]
    assert "checks" not in plain.model_dump()
    assert task.id != plain.id


def test_a_file_without_the_column_of_checks_is_refused(tmp_path: Path) -> None:
    source = make_source("file", path=str(write_file(tmp_path, row_line("q", "a", tests="x"))), checks="test")
    with pytest.raises(PartError, match=r":1 has no column 'test'; did you mean 'tests'\?.*source.checks"):
        source.check("talk", {})


def test_a_csv_file_has_a_row_for_each_task_whatever_its_cells_hold(tmp_path: Path) -> None:
    path = tmp_path / "tasks.csv"
    path.write_bytes(b'\xef\xbb\xbfprompt,answer,skill\r\n"one, or ""two""\nlines",1,talk\r\n\r\nthree,3,talk\r\n')
    drawn = make_source("file", path=str(path)).draw("talk", {}, 5, Random(0), allowed=lambda _: True)
    assert {(task.prompt, task.answer) for task in drawn} == {('one, or "two"\nlines', "1"), ("three", "3")}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"prompt,answer,skill\none,1\n", r"tasks\.csv:2 has 2 cells where the columns are 3 "),
        (b"prompt,answer,skill\none,1,talk,more\n", r"tasks\.csv:2 has 4 cells where"),
        (b"prompt,answer,answer\none,1,1\n", r"tasks\.csv:1: the header names 'answer' twice; rename one"),
        (b'prompt,answer,skill\none,1,"talk\n', r"tasks\.csv:2: not a row of cells: unexpected end of data"),
        (b"prompt,answer,skill\none,1,talk\n\xff,1,talk\n", r"tasks\.csv:3: byte 31 of the file is not UTF-8"),
        (b"\xef\xbb\xbfprompt,answer,skill\n\xff,1,talk\n", r"tasks\.csv:2: byte 23 of the file is not UTF-8"),
        (b"question,answer,skill\none,1,talk\n", r"tasks\.csv:2 has no column 'prompt'"),
        (b"prompt,answer,skill\n", r"tasks\.csv: no rows"),
        (b"", r"tasks\.csv: no rows"),
        (b"prompt,answer,skill\n" + b"x" * 2_000_000 + b",1,talk\n", r"tasks\.csv:2: not a row of cells: field larger"),
    ],
)
def test_a_csv_file_that_cannot_be_read_is_refused_with_its_line(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "tasks.csv"
    path.write_bytes(content)
    with pytest.raises(PartError, match=reason):
        make_source("file", path=str(path)).check("talk", {})


def test_a_compressed_file_holds_what_it_held_before(tmp_path: Path) -> None:
    plain = write_file(tmp_path, *LINES)
    packed = tmp_path / "tasks.jsonl.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    one, other = (
        make_source("file", path=str(path)).draw("talk", {}, 100, Random(0), allowed=lambda _: True)
        for path in (plain, packed)
    )
    assert one == other
    assert len(one) == len(LINES)


DAMAGED: Mapping[str, Callable[[bytes], bytes]] = {
    "cut": lambda data: data[:-20],
    "not compressed": lambda data: b"{}" + data,
    "overwritten": lambda data: data[:30] + b"x" * 40,
}


@pytest.mark.parametrize("how", DAMAGED)
def test_a_compressed_file_that_is_damaged_is_refused(tmp_path: Path, how: str) -> None:
    path = tmp_path / "tasks.jsonl.gz"
    path.write_bytes(DAMAGED[how](gzip.compress("\n".join(LINES).encode())))
    with pytest.raises(PartError, match=r"tasks\.jsonl\.gz: not a whole gzip file: .*; compress it again"):
        make_source("file", path=str(path)).check("talk", {})
