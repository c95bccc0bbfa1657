from typing import Any

import pytest

from evolvent.agents.reports.aftermath import aftermath_lines, aftermath_section, verdict

Json = dict[str, Any]
BOUND = {"loss": 0.03, "upper": 0.08, "margin": 0.02}


def make_found(*, tainted: bool, clean: bool, sealed: bool = False, due: bool = False, tried: bool = False) -> Json:
    replacement = {"round": 2, "clean": "c" * 16, "samples": 9, "bounds": {"select": BOUND}, "replaced": clean,
                   "reason": "select may have lost up to 8.00 points"}  # fmt: skip
    return {
        "removed": [],
        "withdrawn": {
            "retractions": [
                {"what": "judge", "name": "<b>kind</b>", "samples": 3, "reason": "\x1b[31mtoo <i>kind</i>"}
            ],
            "tainted": [{"round": 2, "checkpoint": "t" * 16, "samples": 3}],
            "replacements": [replacement] if tried or clean else [],
            "student": {"digest": "s", "tainted": tainted, "clean": clean},
            "due": due,
            "sealed": sealed,
        },
    }


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({}, ""),
        ({"withdrawn": None}, ""),
        (make_found(tainted=False, clean=False), "the student did not learn from them"),
        (make_found(tainted=True, clean=False, due=True), "no clean one was trained yet"),
        (
            make_found(tainted=True, clean=False, tried=True),
            "no clean one took its place: select may have lost up to 8",
        ),
        (make_found(tainted=False, clean=True), "took the place of the tainted one"),
    ],
)
def test_a_report_says_how_the_student_stands(found: Json, said: str) -> None:
    assert said in verdict(found)
    assert bool(verdict(found)) == bool(said)


@pytest.mark.parametrize("clean", [False, True])
def test_a_report_says_that_sealed_scores_are_of_the_tainted_student(clean: bool) -> None:
    assert "the report is not opened again" in verdict(make_found(tainted=not clean, clean=clean, sealed=True))
    assert "opened again" not in verdict(make_found(tainted=not clean, clean=clean))


def test_what_people_wrote_stays_text() -> None:
    found = make_found(tainted=True, clean=False, tried=True)
    page = aftermath_section(found)
    assert "<b>kind" not in page
    assert "<i>kind" not in page
    assert "× select" in page
    assert "\x1b" not in "\n".join(aftermath_lines(found))


def test_weights_that_were_removed_are_listed_with_what_they_freed() -> None:
    gone = {
        "round": 2,
        "number": 1,
        "arm": "targeted",
        "checkpoint": "c",
        "path": "p",
        "bytes": 2_000_000,
        "reason": "r",
    }
    found = {"removed": [gone, {**gone, "arm": "control"}]}
    assert aftermath_lines(found) == ["removed  weights of round 1, the twin: 4.0 MB freed; digests are kept"]
    assert "2.0 MB" in aftermath_section(found)
