import os
from pathlib import Path
from random import Random

import pytest

from evolvent.memory.errors import PartError

from .builders import make_cells, make_source

TOWNS = [{"City": "rome", "State": "it"}, {"City": "rome", "State": "it"}, {"City": "oslo", "State": "no"}]


def test_a_cell_is_an_error_where_its_clean_value_is_another(tmp_path: Path) -> None:
    source = make_cells(tmp_path, TOWNS, wrong={(1, "City"): "rxme"})
    tasks = source.draw("any", {}, 9, Random(0), allowed=lambda _: True)
    assert {t.prompt: t.answer for t in tasks} == {
        "City: rome": "clean",
        "City: rxme": "error",
        "City: oslo": "clean",
        "State: it": "clean",
        "State: no": "clean",
    }
    assert source.size("any", {"where": {"answer": "error"}}) == 1
    assert source.size("any", {"where": {"rows": 2}}) == 1
    assert source.size("any", {"where": {"attribute": "City"}}) == 3
    assert all(f"attribute {t.prompt.split(':')[0]}" in t.features for t in tasks)


def test_a_value_that_is_right_in_one_row_and_wrong_in_another_is_no_task_and_counted(tmp_path: Path) -> None:
    source = make_cells(tmp_path, TOWNS, wrong={(2, "City"): "rome"})
    assert {t.prompt for t in source.draw("any", {}, 9, Random(0), allowed=bool)} == {"State: it", "State: no"}
    assert "left out: 1 values that are right in one row and wrong in another" in source.remarks()[0]
    assert make_cells(tmp_path, TOWNS).remarks() == ()


def test_empty_cells_are_not_asked_about(tmp_path: Path) -> None:
    source = make_cells(tmp_path, TOWNS, wrong={(0, "State"): ""})
    assert source.size("any", {}) == 4


def test_either_file_that_changes_makes_another_source(tmp_path: Path) -> None:
    before = make_cells(tmp_path, TOWNS).fingerprint()
    other = make_cells(tmp_path, [*TOWNS[:2], {"City": "bonn", "State": "de"}], wrong={(2, "City"): "oslo"})
    assert other.fingerprint() != before
    assert other.size("any", {"where": {"answer": "error"}}) == 1


@pytest.mark.parametrize(
    ("clean", "reason"),
    [
        ("tid,attribute,correct_val\n0,City,rome\n", r"dirty\.csv:2: 'State' of row 0 has no clean value in .*"),
        ("tid,column,value\n0,City,rome\n", r"clean\.csv:1 has no column 'attribute'; clean values need"),
        ("tid,attribute,correct_val\nx,City,rome\n", r"clean\.csv:2: 'tid' is 'x'; write the number of a row, from 0"),
        (f"tid,attribute,correct_val\n{'9' * 5000},City,rome\n", r"clean\.csv:2: 'tid' is '99.*; write the number"),
    ],
)  # fmt: skip
def test_clean_values_that_cannot_be_used_say_where_and_why(tmp_path: Path, clean: str, reason: str) -> None:
    source = make_cells(tmp_path, TOWNS)
    (tmp_path / "clean.csv").write_text(clean)
    with pytest.raises(PartError, match=reason):
        source.check("any", {})


def test_clean_values_that_are_not_there_are_missed(tmp_path: Path) -> None:
    (tmp_path / "dirty.csv").write_text("City\nrome\n")
    with pytest.raises(PartError, match=r"source\.clean: no such file: .*none\.csv; a path is relative to the table"):
        make_source("cells", path=str(tmp_path / "dirty.csv"), clean="none.csv").check("any", {})


@pytest.mark.skipif("EVOLVENT_DATA" not in os.environ, reason="needs the public data: set EVOLVENT_DATA to its folder")
def test_hospital_has_its_509_wrong_cells() -> None:
    from evolvent.scenarios.cells import ERROR, judged

    folder = Path(os.environ["EVOLVENT_DATA"]) / "error_detection" / "hospital"
    found = judged(str(folder / "hospital.csv"), str(folder / "hospital_clean.csv"), 0)
    assert sum(found.counts[cell] for cell, label in found.labels.items() if label == ERROR) == 509
    assert found.torn == 0
