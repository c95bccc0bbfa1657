import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote

import pytest

from evolvent.memory.errors import UsageError
from evolvent.memory.reading import Run
from evolvent.memory.records import Record, Sample
from evolvent.memory.viewer.bundle import CSP, Bundle, bundle
from evolvent.memory.viewer.texts import BEGIN, END

from ..runs import make_run, make_sample, story
from .test_map import make_mapped
from .test_payloads import PAYLOADS
from .visits import Seen, assert_made, every_page, visit

RUN = "then_mini_0001"
KINDS = ("rounds", "skill", "weaknesses", "samples", "records", "trace")


def write(run: Path, folder: Path, *, most: int = 500) -> Bundle:
    with Run.load(run) as opened:
        return bundle(opened, folder, most=most)


def pages_of(folder: Path) -> dict[str, str]:
    return {p.relative_to(folder).as_posix(): p.read_text() for p in sorted(folder.rglob("*.html"))}


def texts_of(folder: Path) -> list[list[str]]:
    scripts = [p.read_text() for p in sorted((folder / "search").iterdir())]
    return [text for s in scripts for text in json.loads(f"[{s.removeprefix(BEGIN).removesuffix(END)}]")]


def test_every_page_is_in_the_bundle_and_every_link_leads_to_a_file(tmp_path: Path) -> None:
    run = make_mapped(tmp_path / "runs", story())
    write(run, tmp_path / "out")
    pages = pages_of(tmp_path / "out")
    assert {name.split("/")[0] for name in pages} >= {*KINDS, "index.html", "search.html", "left-out.html"}
    for name, html in pages.items():
        for link in assert_made(html).links:
            target = (tmp_path / "out" / name).parent / unquote(link.partition("#")[0].partition("?")[0])
            assert link.startswith("#") or target.is_file(), (name, link)
    served = every_page(visit(run.parent), RUN)
    assert len(pages) >= len([address for address in served if "?q=" not in address])


def test_no_page_of_a_bundle_may_run_or_load_what_is_not_beside_it(tmp_path: Path) -> None:
    write(make_run(tmp_path / "runs", story()), tmp_path / "out")
    assert "unsafe" not in CSP
    for name, html in pages_of(tmp_path / "out").items():
        assert html.index(f'content="{CSP}"') < html.index("<link"), name
        assert "data-pulse" not in html
        assert "data-parts" not in html
        assert all(script and not re.match(r"\w+:|/", script) for script in Seen(html).scripts)


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    run = make_mapped(tmp_path / "runs", story())
    for name in ("one", "other"):
        write(run, tmp_path / name)
    one, other = ({p.relative_to(f): p.read_bytes() for p in f.rglob("*") if p.is_file()}
                  for f in (tmp_path / "one", tmp_path / "other"))  # fmt: skip
    assert one == other


def test_what_a_bundle_leaves_out_it_says_and_links_there_lead_to_that(tmp_path: Path) -> None:
    records: list[Record] = [*story(), *(make_sample(f"more {i}") for i in range(30))]
    made = write(make_run(tmp_path / "runs", records), tmp_path / "out", most=4)
    pages = pages_of(tmp_path / "out")
    assert len([name for name in pages if re.fullmatch(r"samples/[0-9a-f]{16}\.html", name)]) <= 8
    assert made.left_out["samples"] > 10
    assert f"<td>{made.left_out['samples']}</td>" in pages["left-out.html"]
    assert any('href="../left-out.html"' in html or 'href="left-out.html"' in html for html in pages.values())
    assert json.loads((tmp_path / "out" / "about.json").read_text())["left_out"] == made.left_out


def test_the_text_of_pages_can_be_searched_and_is_data(tmp_path: Path) -> None:
    text = "</script><script>alert(1)</script>\u2028"
    records = story(text, prompt=f"17+25 {text}")
    write(make_run(tmp_path / "runs", records), tmp_path / "out")
    kept = next(r for r in records if isinstance(r, Sample))
    found = {name: said for name, _, said in texts_of(tmp_path / "out")}
    assert "</script><script>alert(1)</script>" in found[f"samples/{kept.id}.html"]
    assert "\u2028" not in (tmp_path / "out" / "search" / "000.js").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, len(PAYLOADS), 20))
def test_text_of_a_model_is_never_markup_or_a_file_name_in_a_bundle(tmp_path: Path, first: int) -> None:
    batch = PAYLOADS[first : first + 20]
    told = [record for payload in batch for record in story(payload, prompt=payload, skill=payload)]
    write(make_run(tmp_path / "runs", told, targets=batch), tmp_path / "out", most=40)
    for name, html in pages_of(tmp_path / "out").items():
        assert re.fullmatch(r"[a-z0-9/_.-]+", name)
        assert_made(html)


def test_an_older_bundle_is_replaced_as_a_whole(tmp_path: Path) -> None:
    write(make_run(tmp_path / "runs", story()), tmp_path / "out")
    before = set(pages_of(tmp_path / "out"))
    write(make_run(tmp_path / "runs", [], name="empty"), tmp_path / "out")
    after = set(pages_of(tmp_path / "out"))
    assert after < before
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_a_folder_that_holds_anything_else_is_left_alone(tmp_path: Path) -> None:
    run = make_run(tmp_path / "runs", story())
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match=r"thesis\.txt"):
        write(run, tmp_path / "mine")
    write(run, tmp_path / "out")
    (tmp_path / "out" / "notes.txt").write_text("mine too")
    with pytest.raises(UsageError, match=r"notes\.txt"):
        write(run, tmp_path / "out")
    assert (tmp_path / "mine" / "thesis.txt").exists()
    assert (tmp_path / "out" / "notes.txt").exists()


def test_no_link_is_written_through(tmp_path: Path) -> None:
    run = make_run(tmp_path / "runs", story())
    write(run, tmp_path / "real")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(UsageError, match="is a link"):
        write(run, tmp_path / "link")
    page = tmp_path / "real" / "index.html"
    page.unlink()
    page.symlink_to("/dev/null")
    with pytest.raises(UsageError, match=r"index\.html"):
        write(run, tmp_path / "real")


@pytest.mark.parametrize("place", ["file", "runs/then_mini_0001", "runs/then_mini_0001/pages", ""])
def test_a_place_for_no_bundle_is_refused(tmp_path: Path, place: str) -> None:
    run = make_run(tmp_path / "runs", story())
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"choose|holds"):
        write(run, tmp_path / place if place else Path())
    assert not (run / "pages").exists()


def test_a_bundle_that_fails_leaves_the_older_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tmp_path / "runs", story())
    write(run, tmp_path / "out")
    before = pages_of(tmp_path / "out")

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("evolvent.memory.viewer.bundle._write", full)
    with pytest.raises(UsageError, match="No space left"):
        write(run, tmp_path / "out")
    assert pages_of(tmp_path / "out") == before
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


@pytest.mark.parametrize("body", ["{}", "null", "[]", '{"task": []}', '"text"'])
def test_a_record_that_no_session_wrote_costs_its_pages_and_not_the_bundle(tmp_path: Path, body: str) -> None:
    run = make_run(tmp_path / "runs", story())
    with closing(sqlite3.connect(run / "ledger.sqlite")) as database:
        database.execute("update records set body = ? where kind = 'sample'", (body,))
        database.commit()
    assert write(run, tmp_path / "out").pages > 5
    assert any("cannot be read" in html for html in pages_of(tmp_path / "out").values())
