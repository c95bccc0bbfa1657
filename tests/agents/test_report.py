import re
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolvent.agents.reports.report import render

Json = dict[str, Any]

VOID = {"meta", "br", "link"}
SHARE: Json = {"rate": 0.5, "low": 0.4, "high": 0.6, "passed": 50, "tried": 100}
CELL: Json = {**SHARE, "verdict": "failing", "chance": 0.0, "samples": 40}
UNPROBED: Json = {"rate": None, "verdict": None, "chance": None, "samples": 0}
PARTS = [
    "description", "report", "select", "guards", "samples", "control", "decisions", "curve", "heat", "weaknesses",
    "predictions", "cost", "shares", "wall_seconds", "processes", "promoted", "learnable", "dataset_hash", "limited",
    "judges",
]  # fmt: skip


def make_change(skills: list[str]) -> Json:
    each = {s: {"before": SHARE, "after": SHARE, "change": 0.0} for s in skills}
    return {"before": 0.5, "after": 0.5, "change": 0.0, "low": -0.1, "high": 0.1, "skills": each}


def make_control(skills: list[str], low: float, high: float, verdict: str) -> Json:
    middle = (low + high) / 2
    return {
        "round": 1, "promoted": True, "compared": "the final student", "targeted_samples": 101, "targeted_steps": 8,
        "samples": 100, "steps": 9, "data": {"written": 103, "kept": 100, "rejected": {}}, "targeted": 0.5 + middle,
        "uniform": 0.5, "difference": middle, "low": low, "high": high, "verdict": verdict, "note": "one training seed",
        "probes_charged": 8, "samples_with_probes": 109,
        "skills": {s: {"targeted": 0.5, "uniform": 0.5} for s in skills},
    }  # fmt: skip


def make_weakness(text: str, rounds: int) -> Json:
    states = ["open", "taught", "fixed", "regressed", "abandoned"]
    return {
        "id": "0" * 16, "skill": "carry", "hypothesis": text, "rule": [text], "round": 1, "p_value": 1e-9,
        "state": "fixed", "foreseen": 0.1, "seen": SHARE, "samples": 40,
        "life": [{"round": r, "state": states[r % 5], "reason": text, "recalled": [], **SHARE} for r in range(rounds)],
        "failures_shown": [{"prompt": text, "answer": text, "expected": text}],
        "samples_shown": [{"prompt": text, "completion": text}],
    }  # fmt: skip


def make_audition(text: str) -> Json:
    tally = {"count": 1, "of": 32}
    measures = {"agreed": tally, "nulls": tally, "swayed": tally, "turned": {"count": 0, "of": 0}}
    return {"judge": text, "kappa": 0.9, "kappa_low": 0.7, **measures, "words": {}, "sound": False, "reason": text}


def make_found(text: str = "plain", *, rounds: int = 2, skills: int = 2, **changes: Any) -> Json:
    names = [f"skill-{i}" for i in range(skills)]
    guard = {"loss": 0.0, "upper": 0.03, "margin": 0.02}
    decision = {"promoted": False, "reason": text, "alpha": 0.02, "gained": 3, "lost": 0, "p_value": 0.1}
    numbers = range(1, rounds + 1)
    return {
        "run": text, "dir": text, "status": "finished", "limited": None, "seed": 0, "scenario": text,
        "description": text, "learnable": names, "rounds": rounds, "promoted": [1], "select": make_change(names),
        "report": make_change(names), "dataset_hash": text,
        "guards": {names[0]: {"before": 1.0, "after": 1.0, "change": 0.0, "low": -0.1, "high": 0.1, "worse": False}},
        "samples": {"written": 9, "kept": 8, "rejected": {text: 1}},
        "control": make_control(names, -0.1, 0.1, "targeting did not help measurably"),
        "decisions": [{"round": r, **decision, "guards": {text: guard}} for r in numbers],
        "curve": [{"round": r, "promoted": r > 1, **SHARE, "skills": dict.fromkeys(names, SHARE)} for r in numbers],
        "heat": {"rounds": list(numbers), "skills": {s: [CELL] * (rounds - 1) + [UNPROBED] for s in names}},
        "weaknesses": [make_weakness(text, rounds)], "predictions": {"tested": 1, "kept": 1, "error": 0.02},
        "cost": {"probe_answers": 9, "training_steps": 4}, "wall_seconds": 99.0, "processes": 1,
        "shares": {text: 0.75, f"{text}, too": 0.25}, "judges": [make_audition(text)],
        **changes,
    }  # fmt: skip


class Page(HTMLParser):
    """Every tag with its attributes, in order; refuses tags that are not closed in the order they were opened."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    @property
    def names(self) -> list[str]:
        """Tags but for the marks around escapes, which depend on the text."""
        return [tag for tag, _ in self.tags if tag != "mark"]


HOSTILE = [
    "<script>alert(1)</script>",
    "</style><img src=x onerror=alert(1)>",
    "\" onload='alert(1)' x=\"",
    "</code></table></main><!-- ",
    "&lt;b&gt; $body ${style} {0} %s",
    "]]></svg><![CDATA[",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text: str) -> None:
    page = Page(render(make_found(text)))
    assert page.names == Page(render(make_found())).names
    assert text in page.text


@given(st.text(min_size=1, max_size=60))
def test_no_text_changes_the_structure_of_the_page(text: str) -> None:
    assert Page(render(make_found(text))).names == Page(render(make_found())).names


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\u202etxt.exe", "\\u202etxt.exe"),
        ("a\u200bb\x00\r", "a\\u200bb\\x00\\r".replace("\\r", "\\x0d")),
        ("\ud800", "\\ud800"),
        ("tag\U000e0041", "tag\\U000e0041"),
    ],
)
def test_what_cannot_be_seen_is_shown_as_its_escape(text: str, shown: str) -> None:
    page = render(make_found(text))
    assert text not in page
    assert shown in Page(page).text
    page.encode()


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("gone", [True, False], ids=["absent", "none"])
def test_a_missing_part_is_left_out(part: str, gone: bool) -> None:
    found = make_found() | {part: None}
    if gone:
        del found[part]
    assert Page(render(found)).names[-1] == "code"


@given(st.sets(st.sampled_from(PARTS)), st.sampled_from(["running", "interrupted", "failed", "waiting"]))
def test_an_unfinished_session_gives_a_page_with_what_it_has(parts: set[str], status: str) -> None:
    found = {key: value for key, value in make_found(status=status).items() if key not in parts}
    assert status in Page(render(found)).text


@pytest.mark.parametrize("rounds", [1, 2, 13, 100])
@pytest.mark.parametrize("skills", [1, 30])
def test_any_number_of_rounds_and_skills_is_drawn(rounds: int, skills: int) -> None:
    page = Page(render(make_found("x" * 900, rounds=rounds, skills=skills)))
    assert page.names.count("figure") == skills
    assert "300 more characters" in page.text


def test_a_first_round_that_has_not_begun_gives_a_page() -> None:
    assert "Nothing was probed yet." in Page(render({"scenario": "dates", "status": "running"})).text


@pytest.mark.parametrize(
    ("low", "high", "verdict", "mood"),
    [
        (0.02, 0.06, "targeting helped", "good"),
        (-0.02, 0.06, "targeting did not help measurably", "bad"),
        (-0.06, -0.02, "targeting did worse than drawing evenly", "bad"),
    ],
)
def test_the_verdict_of_the_control_arm_stands_at_the_top_whatever_it_is(
    low: float, high: float, verdict: str, mood: str
) -> None:
    page = render(make_found(control=make_control(["skill-0"], low, high, verdict)))
    head = page[page.index("<header>") : page.index("</header>")]
    assert f'<div class="{mood}"><dt>Control</dt><dd><strong>{verdict.capitalize()}.</strong>' in head


@pytest.mark.parametrize(
    ("low", "high", "said", "mood"),
    [
        (-0.02, 0.01, "None is significantly worse.", "good"),
        (-0.02, -0.01, "Worse, if within the margin: &lt;b&gt;.", "bad"),
    ],
)
def test_an_evaluation_that_fell_is_said_at_the_top_even_within_the_margin(
    low: float, high: float, said: str, mood: str
) -> None:
    fell = {"items": 40, "before": 0.5, "after": 0.49, "change": -0.01, "low": low, "high": high, "worse": high < 0}
    page = render(make_found(evaluations={"<b>": fell}))
    head = page[page.index("<header>") : page.index("</header>")]
    assert f'<div class="{mood}"><dt>Evaluations</dt><dd><strong>{said}</strong>' in head


def test_graded_scores_are_called_means_and_their_tests_by_name() -> None:
    found = make_found()
    assert "bootstrap" not in Page(render(found)).text
    found["decisions"][0] |= {"test": "bootstrap", "guard_tests": {"plain": "bootstrap"}}
    found["report"]["skills"]["skill-0"] = {"before": SHARE, "after": SHARE | {"graded": True}, "change": 0.0}
    text = Page(render(found)).text
    assert text.count(" bootstrap") == 2
    assert "Mean scores (bootstrap intervals where graded) on items no agent has seen" in text


def test_a_session_without_a_promotion_says_that_nothing_changed() -> None:
    assert "It did not change." in Page(render(make_found(promoted=[]))).text


def test_a_limited_session_is_stamped() -> None:
    assert "LIMITED to 40: not a result" in Page(render(make_found(limited=40))).text


def test_the_page_needs_nothing_from_outside() -> None:
    text = render(make_found())
    page = Page(text)
    links = [attrs.get("href") for _, attrs in page.tags if "href" in attrs]
    assert all(link and link.startswith("#") for link in links)
    assert not any("src" in attrs or tag in ("script", "link") for tag, attrs in page.tags)
    assert not re.search(r"https?:|url\(|@import", text)
    assert "default-src 'none'" in text


def test_every_chart_says_what_it_shows_and_every_link_arrives() -> None:
    page = Page(render(make_found()))
    charts = [attrs for tag, attrs in page.tags if tag == "svg"]
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert page.names.count("title") == page.names.count("desc") + 1 == len(charts) + 1
    assert all(attrs["aria-label"] for attrs in charts)
    assert len(ids) == len(set(ids))
    assert {str(attrs["href"])[1:] for _, attrs in page.tags if "href" in attrs} <= set(ids)
