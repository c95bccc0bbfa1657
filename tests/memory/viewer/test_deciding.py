"""Deciding in a real browser: a real session waits, a person decides by mouse and keyboard, and it goes on."""

import re
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from evolvent.memory.choices import standing
from evolvent.memory.reading import Run
from evolvent.memory.reviews import Review

from ...killing import COMMAND, MINI, runs, session
from ..waiting import RUN, make_waiting
from .browsing import SCHEMES, browser, visiting

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.fixture(scope="module")
def chromium() -> Generator["Browser"]:
    with browser() as opened:
        yield opened


@contextmanager
def deciding(folder: Path) -> Generator[str]:
    """A viewer that takes decisions; gives the address it says, with its token."""
    arguments = [COMMAND, "view", "--runs-dir", folder, "--port", "0", "--review", "--by", "ann"]
    with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            yield next(w for w in process.stderr.readline().split() if w.startswith("http")).rstrip(";")
        finally:
            process.terminate()


def test_a_session_goes_on_with_what_a_person_decided_on_its_page(chromium: "Browser", tmp_path: Path) -> None:
    few = ["--set", "review=true", "--set", "rounds.most=1", "--limit", "10"]
    assert session("run", MINI, *few, folder=tmp_path).code == 0
    (run,) = runs(tmp_path)
    findings: list[str] = []
    with deciding(run.parent) as address:
        root = address.partition("?")[0]
        for scheme in SCHEMES:
            with visiting(chromium, scheme) as seen:
                seen.open(address)
                seen.open(f"{root}runs/{run.name}")
                seen.page.click("text=review")
                seen.page.click("summary >> nth=0")
                findings += seen.axe()
                assert seen.faults == []
        with visiting(chromium) as seen:
            seen.open(address)
            seen.open(f"{root}runs/{run.name}/review")
            waiting = int(seen.page.inner_text(".score span"))
            seen.page.click("form.reject button >> nth=0")
            assert seen.page.inner_text(".score span") == f"{waiting}", "a rejection without a reason was sent"
            seen.page.fill("form.reject input[name=reason] >> nth=0", "</textarea><script>alert(1)</script>")
            seen.page.keyboard.press("Enter")
            seen.page.wait_for_selector("[role=status]:has-text('rejected')")
            seen.page.click("summary >> nth=0")
            text = seen.page.locator("form.edit textarea[name=prompt] >> nth=0")
            text.fill(f"{text.input_value()}1")
            seen.page.click("form.edit button >> nth=0")
            seen.page.wait_for_selector("[role=status]:has-text('edited')")
            for left in range(waiting - 3, -1, -1):
                seen.page.click("form.accept button >> nth=0")
                seen.page.wait_for_function(f"() => document.querySelector('.score span')?.innerText === '{left}'")
            assert "evolvent resume" in seen.page.inner_text("main header")
            findings += seen.axe()
            assert seen.faults == []
    assert findings == []
    with Run.load(run) as opened:
        assert standing(opened).undecided == []
    assert session("resume", run, folder=tmp_path).code == 0
    with Run.load(run) as opened:
        found = [review.action for review in opened.ledger.read(Review)]
        assert opened.status == "finished"
    assert (found.count("reject"), found.count("edit"), found.count("accept")) == (1, 1, waiting - 2)


def test_another_site_cannot_decide_for_somebody_who_may(chromium: "Browser", tmp_path: Path) -> None:
    _, (sample, *_) = make_waiting(tmp_path / "runs")
    with deciding(tmp_path / "runs") as address, visiting(chromium) as seen:
        root = address.partition("?")[0]
        seen.open(address)
        seen.open(f"{root}runs/{RUN}/review")
        mark = re.search(r'name="mark" value="(\w+)"', seen.page.content())
        assert mark
        # even one that had learned the mark
        fields = {"mark": mark[1], "sample": sample.id, "action": "accept"}
        inputs = "".join(f'<input name="{name}" value="{value}">' for name, value in fields.items())
        form = f'<form method="post" action="{root}runs/{RUN}/review">{inputs}</form>'
        (tmp_path / "evil.html").write_text(f"<title>evil</title>{form}")
        seen.open((tmp_path / "evil.html").as_uri())
        with seen.page.expect_navigation() as sent:
            seen.page.evaluate("() => document.forms[0].submit()")
        assert sent.value is not None
        assert sent.value.status == 403
    with Run.load(tmp_path / "runs" / RUN) as opened:
        assert standing(opened).choices == {}
