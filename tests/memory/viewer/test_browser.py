"""The pages in a real browser: what a person sees, hears, types and follows, and that no text of a model runs."""

import re
import shutil
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from evolvent.memory.reading import Run
from evolvent.memory.trace import Trace, recording, span
from evolvent.memory.viewer.bundle import bundle

from ...killing import session
from .. import runs as told
from .browsing import SCHEMES, Scheme, Visit, browser, served, visiting
from .test_map import make_mapped
from .test_payloads import PAYLOADS
from .visits import every_page, visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.slow, pytest.mark.browser]

STORY = "then_mini_0001"
FEW = 8
"""Pages of one kind in a bundle of payloads; the others are made the same way."""
ADDRESSES = "links => links.map(link => new URL(link.href.baseVal ?? link.href, location.href).href)"
"""Of links in the page and in its drawings."""
NUMBERS = re.compile(r"[0-9a-f]{8,}|\d+")


@pytest.fixture(scope="module")
def chromium() -> Generator["Browser"]:
    with browser("--host-resolver-rules=MAP evil.example 127.0.0.1") as opened:
        yield opened


@pytest.fixture(scope="module")
def copy(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of a real session."""
    folder = tmp_path_factory.mktemp("bundle") / "pages"
    with Run.load(finished) as run:
        bundle(run, folder)
    return folder


@pytest.fixture
def story(tmp_path: Path) -> Iterator[str]:
    """Address of a viewer of one small run, with a map."""
    make_mapped(tmp_path / "runs", [*told.story(), *(told.make_attempt(f"{i}+1") for i in range(9))])
    with served(tmp_path / "runs") as address:
        yield address


def kind_of(address: str) -> str:
    path, _, query = address.partition("#")[0].partition("?")
    return NUMBERS.sub("#", path) + ("?" if query else "")


def one_of_each(seen: Visit, start: str, root: str) -> Iterator[str]:
    """Walk a page of every kind that links lead to."""
    waiting, known = [start], {kind_of(start)}
    while waiting:
        seen.open(waiting.pop())
        yield seen.page.url
        for link in seen.page.eval_on_selector_all("a", ADDRESSES):
            address = str(link).partition("#")[0]
            if address.startswith(root) and kind_of(address) not in known:
                known.add(kind_of(address))
                waiting.append(address)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_page_of_a_real_session_has_a_finding_or_an_error(
    chromium: "Browser", finished: Path, killed: Path, scheme: Scheme
) -> None:
    findings: list[str] = []
    with served(finished.parent) as address, visiting(chromium, scheme) as seen:
        walked = [findings.extend(seen.axe()) or url for url in one_of_each(seen, f"{address}/", address)]
        for path in (f"compare?a={finished.name}&b={killed.name}", f"runs/{killed.name}", f"runs/{killed.name}/trace"):
            seen.open(f"{address}/{path}")
            findings += seen.axe()
        assert (findings, seen.faults) == ([], [])
        seen.open(f"{address}/runs/{finished.name}/records/nothing")
        assert seen.axe() == []
    assert len(walked) > 12


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_bundle_opens_from_disk_without_a_finding_or_an_error(
    chromium: "Browser", copy: Path, scheme: Scheme
) -> None:
    findings: list[str] = []
    with visiting(chromium, scheme) as seen:
        root = copy.as_uri()
        walked = [findings.extend(seen.axe()) or url for url in one_of_each(seen, f"{root}/index.html", root)]
        seen.open(f"{root}/search.html?q=carry")
        assert (findings + seen.axe(), seen.faults) == ([], [])
    assert len(walked) > 12


def test_a_bundle_is_searched_without_a_server(chromium: "Browser", copy: Path) -> None:
    with visiting(chromium) as seen:
        seen.open((copy / "rounds" / "1.html").as_uri())
        seen.page.keyboard.press("/")
        seen.page.keyboard.type("no better than luck")
        seen.page.keyboard.press("Enter")
        seen.page.wait_for_url("**/search.html?q=*")
        assert re.search(r"[1-9]\d* of \d+ pages hold “no better than luck”", seen.page.inner_text("#told"))
        assert seen.page.inner_text("#hits li >> nth=0 >> mark") == "no better than luck"
        seen.page.click("#hits a >> nth=0")
        assert "no better than luck" in seen.page.inner_text("main")
        assert seen.faults == []


def test_a_session_that_goes_on_is_followed_without_loading_a_page_again(
    chromium: "Browser", killed: Path, tmp_path: Path
) -> None:
    run = tmp_path / "runs" / killed.name
    shutil.copytree(killed, run, symlinks=True)
    with served(tmp_path / "runs") as address, visiting(chromium) as seen, ThreadPoolExecutor(1) as pool:
        seen.page.set_default_timeout(120_000)
        seen.open(f"{address}/")
        seen.page.wait_for_selector(".status.interrupted")
        whole = pool.submit(session, "resume", f"runs/{run.name}", folder=tmp_path)
        seen.page.wait_for_selector(".status.running")
        seen.page.evaluate("() => { document.body.dataset.mine = 'kept' }")
        seen.page.wait_for_selector(".status.finished")
        assert seen.page.evaluate("() => document.body.dataset.mine") == "kept"
        assert whole.result().code == 0
        assert seen.faults == []


def test_every_page_can_be_walked_with_the_keyboard(chromium: "Browser", story: str) -> None:
    with visiting(chromium) as seen:
        page, keys = seen.page, seen.page.keyboard
        seen.open(f"{story}/runs/{STORY}/trace")
        keys.press("ArrowDown")
        keys.press("Enter")
        page.wait_for_url("**/trace/*")
        step, above = page.url, page.locator("nav li a").last.get_attribute("href")
        keys.press("u")
        page.wait_for_url(lambda url: url != step)
        assert page.url.endswith(str(above))
        keys.press("Tab")
        assert page.evaluate("() => document.activeElement.className") == "skip"
        keys.press("/")
        assert page.evaluate("() => document.activeElement.name") == "q"
        keys.type("carries")
        keys.press("Enter")
        page.wait_for_url("**/trace?q=carries")
        assert "weakness" in page.inner_text("#records")
        assert seen.faults == []


def test_a_map_is_walked_with_arrow_keys_and_says_what_each_point_is(chromium: "Browser", story: str) -> None:
    with visiting(chromium) as seen:
        page = seen.page
        seen.open(f"{story}/runs/{STORY}")
        page.click("#weaknesses tbody a")
        page.focus(".map a")
        said: list[str] = []
        for _ in range(4):
            page.keyboard.press("ArrowRight")
            said.append(page.inner_text(".said"))
        assert len(set(said)) == 4
        assert page.locator(".map a[tabindex='0']").count() == 1
        page.keyboard.press("End")
        page.hover(".map a >> nth=0")
        assert page.inner_text(".said").startswith("failure, round 1, carry: 17+25 → ")
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile("/(samples|records)/"))
        assert seen.faults == []


def test_an_address_leads_to_the_very_place_on_a_page(chromium: "Browser", story: str) -> None:
    with visiting(chromium) as seen:
        seen.open(f"{story}/runs/{STORY}")
        for anchor in ("weaknesses", "rounds", "skills"):
            seen.open(f"{story}/runs/{STORY}#{anchor}")
            assert seen.page.locator(f"#{anchor} h2").is_visible()
            assert seen.page.evaluate(f"() => document.querySelector('#{anchor}').getBoundingClientRect().top") < 900


@pytest.mark.parametrize("first", range(0, len(PAYLOADS), 20))
def test_no_text_of_a_model_runs_in_a_browser(chromium: "Browser", tmp_path: Path, first: int) -> None:
    batch = PAYLOADS[first : first + 20]
    records = [record for payload in batch for record in told.story(payload, prompt=payload, skill=payload)]
    run = told.make_run(tmp_path / "runs", records, targets=batch)
    for i, payload in enumerate(batch):
        told.make_run(tmp_path / "runs", [], name=f"failed-{i}", status=f"failed: {payload}")
    with recording(Trace(run / "trace.sqlite")):
        for payload in batch:
            with span(payload, said=payload):
                pass
    with Run.load(run) as opened:
        bundle(opened, tmp_path / "pages", most=FEW)
    with served(tmp_path / "runs") as address, visiting(chromium) as seen:
        pages = [f"{address}{path}" for path in every_page(visit(tmp_path / "runs"), STORY, each=len(batch))]
        pages += [path.as_uri() for path in (tmp_path / "pages").rglob("*.html")]
        pages += [f"{(tmp_path / 'pages' / 'search.html').as_uri()}?q=alert", f"{address}/"]
        for page in pages:
            seen.open(page)
        assert len(pages) > 6 * len(batch)
        assert seen.faults == []


def test_a_name_that_points_here_gets_no_page_and_another_site_cannot_send(chromium: "Browser", tmp_path: Path) -> None:
    told.make_run(tmp_path / "runs", told.story())
    with served(tmp_path / "runs") as address, visiting(chromium) as seen:
        form = f'<form method="post" action="{address}/runs/{STORY}"><input name="approved" value="yes"></form>'
        (tmp_path / "evil.html").write_text(f"<title>evil</title>{form}")
        answer = seen.page.goto(address.replace("127.0.0.1", "evil.example"))
        assert answer is not None
        assert (answer.status, STORY in seen.page.content()) == (421, False)
        seen.open((tmp_path / "evil.html").as_uri())
        with seen.page.expect_navigation() as sent:
            seen.page.evaluate("() => document.forms[0].submit()")
        assert sent.value is not None
        assert (sent.value.url, sent.value.status) == (f"{address}/runs/{STORY}", 405)
