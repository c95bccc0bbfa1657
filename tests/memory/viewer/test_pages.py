import json
import os
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from evolvent.memory.errors import RunError
from evolvent.memory.ledger import Ledger
from evolvent.memory.reading import Run
from evolvent.memory.records import Sample, Task, Weakness
from evolvent.memory.trace import Trace, recording, span
from evolvent.memory.viewer.guard import HEADERS
from evolvent.memory.viewer.pages import exam, samples, sessions, trace

from ..runs import make_attempt, make_exam, make_run, make_sample, make_task, make_weakness, story
from .visits import assert_ours, every_page, kinds_of, visit

RUN = "then_mini_0001"


def test_every_page_of_a_run_is_reached_by_links_and_is_whole(tmp_path: Path) -> None:
    make_run(tmp_path, story())
    pages = every_page(visit(tmp_path), RUN)
    wanted = {"", "rounds", "skill", "weaknesses", "samples", "exams", "trace", "records"}
    assert kinds_of(list(pages), RUN) >= wanted
    for html in pages.values():
        assert_ours(html)


def test_the_first_page_lists_sessions_newest_first_with_their_scores(tmp_path: Path) -> None:
    for name in ("2026-01_old", "2026-02_new"):
        make_run(tmp_path, story(), name=name)
    seen = assert_ours(visit(tmp_path).get("/").text)
    assert seen.text.index("2026-02_new") < seen.text.index("2026-01_old")
    assert "25.0 % → 75.0 %" in seen.text


def test_a_damaged_run_is_listed_as_such_and_hides_no_other(tmp_path: Path) -> None:
    make_run(tmp_path, story(), name="good")
    (make_run(tmp_path, story(), name="bad") / "ledger.sqlite").write_bytes(b"no ledger" * 999)
    seen = assert_ours(visit(tmp_path).get("/").text)
    assert "damaged" in seen.text
    assert "25.0 % → 75.0 %" in seen.text


def test_sessions_are_filtered_and_sorted(tmp_path: Path) -> None:
    make_run(tmp_path, [], name="2026-02_empty", status="failed")
    make_run(tmp_path, story(), name="2026-01_told")
    client = visit(tmp_path)
    assert "2026-01_told" not in client.get("/?q=failed").text
    text = client.get("/?sort=gain").text
    assert text.index("2026-01_told") < text.index("2026-02_empty")


def test_many_sessions_come_a_page_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "SHOWN", 2)
    for i in range(5):
        make_run(tmp_path, [], name=f"run-{i}")
    client = visit(tmp_path)
    assert ["run-4" in client.get("/").text, "run-2" in client.get("/").text] == [True, False]
    assert "run-2" in client.get("/?from=2").text
    assert client.get("/?from=99999999999999999999").status_code == 200


def test_two_sessions_are_compared_in_figures_decisions_and_settings(tmp_path: Path) -> None:
    make_run(tmp_path, story(), name="one")
    other = make_run(tmp_path, [], name="other") / "scenario.resolved.json"
    stored = json.loads(other.read_text())
    other.write_text(json.dumps({"scenario": {**stored["scenario"], "rounds": {"most": 9}}}))
    client = visit(tmp_path)
    assert 'action="/compare"' in client.get("/").text
    seen = assert_ours(client.get("/compare?a=one&b=other").text)
    assert all(part in seen.text for part in ("25.0 % → 75.0 %", "promoted", "rounds.most", "9"))
    assert "description" not in seen.text
    assert "the same scenario" in client.get("/compare?a=one&b=one").text


@pytest.mark.parametrize("query", ["", "a=one", "a=one&b=../one", "a=one&b=no"])
def test_only_sessions_that_are_there_are_compared(tmp_path: Path, query: str) -> None:
    make_run(tmp_path, story(), name="one")
    answer = visit(tmp_path).get(f"/compare?{query}")
    assert answer.status_code == 404
    assert_ours(answer.text)


def test_without_runs_the_first_page_says_how_to_begin_one(tmp_path: Path) -> None:
    assert "evolvent run" in visit(tmp_path).get("/").text
    assert "evolvent run" in visit(tmp_path / "nowhere").get("/").text


def test_a_sample_page_tells_its_story_from_failure_to_exam(tmp_path: Path) -> None:
    records = story()
    make_run(tmp_path, records)
    kept = next(r for r in records if isinstance(r, Sample))
    seen = assert_ours(visit(tmp_path).get(f"/runs/{RUN}/samples/{kept.id}").text)
    for part in (
        "1 failure",
        "fails where a digit carries",
        "program",
        "accepted",
        "The judges disagreed and talked",
        "Kept.",
        "promoted in round 1",
        "+50.0",
    ):
        assert part in seen.text


def test_a_sample_of_no_round_leads_to_none(tmp_path: Path) -> None:
    drawn = make_sample("17+25", round=0)
    make_run(tmp_path, [drawn])
    html = visit(tmp_path).get(f"/runs/{RUN}/samples/{drawn.id}").text
    assert "no round" in html
    assert "/rounds/0" not in html


def test_the_page_of_a_round_draws_the_loss_beside_the_figures_it_was_logged_with(tmp_path: Path) -> None:
    run = make_run(tmp_path, story())
    logged = [{"step": n, "loss": 2.0 / n, "learning_rate": 1e-3, "num_tokens": 640.0 * n} for n in (1, 2, 4)]
    with closing(Ledger(run / "ledger.sqlite")) as ledger:
        ledger.intend("train", "train targeted", 1)
        ledger.commit("train", {"metrics": [*logged, {"step": 5}]}, [], 0.5, meta={})
    page = visit(tmp_path).get(f"/runs/{run.name}/rounds/1").text
    assert "Loss: 2 at step 1, 0.5 at 4" in page
    assert "4 logged steps" in page
    assert all(figure in page for figure in ("<td>0.001</td>", "<td>2,560</td>", "gradient norm"))


def test_a_rejected_sample_is_shown_beside_the_one_it_is_like(tmp_path: Path) -> None:
    records = story()
    make_run(tmp_path, records)
    refused = [r for r in records if isinstance(r, Sample)][1]
    html = visit(tmp_path).get(f"/runs/{RUN}/samples/{refused.id}").text
    assert "Rejected." in html
    assert "<ins>kept</ins>" in html or "<ins>" in html


def test_exam_flips_are_counted_and_drawn_item_by_item(tmp_path: Path) -> None:
    make_run(tmp_path, story())
    html = visit(tmp_path).get(f"/runs/{RUN}/exams").text
    seen = assert_ours(html)
    assert html.count('<rect class="gained"') == 3
    assert html.count('<rect class="lost"') == 1
    assert "1, 2, 3" in seen.text


def test_items_that_flipped_are_written_out_lost_ones_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exam, "SHOWN", 2)
    make_run(tmp_path, story())
    client = visit(tmp_path, tasks=lambda _, __: [make_task(f"task {i}") for i in range(4)])
    html = client.get(f"/runs/{RUN}/exams").text
    seen = assert_ours(html)
    assert [f"task {i}" in seen.text for i in (3, 0, 1)] == [True, True, False]
    onward = next(link for link in seen.links if "from=2" in link)
    assert "task 1" in client.get(onward).text


def test_exams_are_compared_even_where_their_items_cannot_be_drawn_again(tmp_path: Path) -> None:
    def gone(run: Path, _: str) -> list[Task]:
        raise RunError(f"{run}: the data changed <b>")

    make_run(tmp_path, story())
    seen = assert_ours(visit(tmp_path, tasks=gone).get(f"/runs/{RUN}/exams").text)
    assert "the data changed <b>" in seen.text
    assert "1, 2, 3" in seen.text


def test_exams_of_different_splits_are_not_compared(tmp_path: Path) -> None:
    make_run(tmp_path, story())
    with closing(Ledger(tmp_path / RUN / "ledger.sqlite", read_only=True)) as ledger:
        ids = [id for (id,) in ledger.rows("select id from records where kind = 'exam' order by seq")]
    answer = visit(tmp_path).get(f"/runs/{RUN}/exams?before={ids[0]}&after={ids[1]}")
    assert (answer.status_code, "only the same items compare" in answer.text) == (404, True)


@pytest.mark.parametrize(
    ("final", "control", "said"),
    [
        ("1" * 60, "0" * 60, "targeting helped"),
        ("0" * 60, "1" * 60, "did worse"),
        ("10" * 30, "01" * 30, "no measurable"),
    ],
)
def test_the_session_says_whether_targeting_earned_its_keep(
    tmp_path: Path, final: str, control: str, said: str
) -> None:
    exams = {
        name: make_exam(name, 1, carry=passed, split="report")
        for name, passed in (("base", "0" * 60), ("final", final), ("control", control))
    }
    run = make_run(tmp_path, [*story(), *exams.values()])
    with closing(Ledger(run / "ledger.sqlite")) as ledger:
        ledger.intend("open", "report opening", 0)
        ledger.commit("open", {name: {"exam": exam.id} for name, exam in exams.items()}, [], 0.1, meta={})
    seen = assert_ours(visit(tmp_path).get(f"/runs/{RUN}").text)
    assert said in seen.text.split("Targeted against evenly drawn")[1]


def test_samples_are_filtered_and_come_a_page_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "SHOWN", 2)
    records = [*story(), *(make_sample(f"more {i}", round=2) for i in range(5))]
    make_run(tmp_path, records)
    weakness = next(r for r in records if isinstance(r, Weakness))
    client, place = visit(tmp_path), f"/runs/{RUN}/samples"
    first = client.get(f"{place}?round=2").text
    assert [f"more {i}" in first for i in range(3)] == [True, True, False]
    onward = next(link for link in assert_ours(first).links if "after=" in link)
    assert "more 2" in client.get(onward).text
    assert "more" not in assert_ours(client.get(f"{place}?weakness={weakness.id}").text).text.split("Samples")[-1]
    for end, shown, hidden in (("kept", "17+25 kept", "refused"), ("rejected", "17+25 refused", " kept<")):
        text = client.get(f"{place}?end={end}").text
        assert (shown in text, f"<code>17+25{hidden}" in text) == (True, False)
    assert "17+25 refused" in client.get(f"{place}?end=leak&round=1").text


@pytest.mark.parametrize(
    "wanted",
    [(), ("arm",), ("round",), ("round", "arm"), ("skill",), ("skill", "after"), ("weakness",), ("weakness", "end")],
)
def test_a_page_of_samples_is_found_without_sorting_all_of_them(tmp_path: Path, wanted: Sequence[str]) -> None:
    plans: list[str] = []
    with Run.load(make_run(tmp_path, story())) as run:
        rows = run.ledger.rows

        def explained(query: str, *values: str | int | float | None) -> list[tuple[object, ...]]:
            plans.append(str(rows(f"explain query plan {query}", *values)))
            return rows(query, *values)

        run.ledger.rows = explained  # type: ignore[method-assign] # the plan of the very query is what counts
        samples.listing(run, dict.fromkeys(wanted, "1"))
    assert "TEMP B-TREE" not in plans[0]
    assert ("SCAN s" in plans[0]) == (not {"round", "skill", "weakness"} & set(wanted))


@pytest.mark.slow
def test_a_page_stays_small_however_much_a_session_holds(tmp_path: Path) -> None:
    failures = [make_attempt(f"{i}") for i in range(300)]
    weaknesses = [make_weakness(failure, text=f"fails at {failure.task.prompt}") for failure in failures]
    told = [
        *story(),
        *failures,
        *weaknesses,
        *(make_sample(f"{i} of many", weakness=weaknesses[i % 9]) for i in range(900)),
    ]
    run = make_run(tmp_path, told)
    with recording(Trace(run / "trace.sqlite")), span("many"):
        for i in range(900):
            with span("step", number=i):
                pass
    for address, html in every_page(visit(tmp_path), RUN).items():
        assert html.count("<tr>") + html.count("<li") < 300, address
        assert len(html) < 200_000, address


def test_a_search_finds_steps_and_records(tmp_path: Path) -> None:
    make_run(tmp_path, story('says "so" \\ 100%'))
    seen = assert_ours(visit(tmp_path).get(f"/runs/{RUN}/trace", params={"q": 'says "so" \\ 100%'}).text)
    assert "weakness" in seen.text
    assert "probe" in visit(tmp_path).get(f"/runs/{RUN}/trace?q=PROBE").text
    assert "none here" in visit(tmp_path).get(f"/runs/{RUN}/trace?q=zebra").text


def test_a_step_is_opened_with_its_parts_only(tmp_path: Path) -> None:
    make_run(tmp_path, story())
    client = visit(tmp_path)
    html = client.get(f"/runs/{RUN}/trace/00000001/parts?level=1&start=0&end=1").text
    assert html.count("<li") == 1
    assert "probe" in html
    assert client.get(f"/runs/{RUN}/trace/00000001/parts?level=x&start=nan&end=inf").status_code == 200
    assert client.get(f"/runs/{RUN}/trace/00000001/parts?level={'9' * 50}").status_code == 200


def test_a_step_with_many_parts_opens_the_first_and_leads_to_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace, "PARTS", 3)
    run = make_run(tmp_path, [])
    with recording(Trace(run / "trace.sqlite")), span("many"):
        for _ in range(5):
            with span("one of many"):
                pass
    html = visit(tmp_path).get(f"/runs/{RUN}/trace/00000003/parts?level=1").text
    assert html.count("one of many") == 3
    assert "2 more" in html


def test_a_killed_session_shows_what_had_ended_and_what_had_not(tmp_path: Path) -> None:
    run = make_run(tmp_path, story(), status="running")
    with recording(Trace(run / "trace.sqlite")), span("resumed"), span("training"):
        with span("batch"):
            pass
        shutil.copytree(run, tmp_path / "killed")
    client = visit(tmp_path)
    assert "interrupted" in client.get("/runs/killed").text
    seen = assert_ours(client.get("/runs/killed/trace").text)
    assert all(name in seen.text for name in ("session", "resumed", "training"))
    assert "of which 1 has not" in seen.text
    assert "not ended" in client.get("/runs/killed/trace/00000003").text


def test_the_pulse_changes_when_a_session_gets_further(tmp_path: Path) -> None:
    run = make_run(tmp_path, story(), status="waiting")
    client = visit(tmp_path)
    assert 'data-pulse="/runs/then_mini_0001/pulse"' in client.get(f"/runs/{RUN}").text
    before = client.get(f"/runs/{RUN}/pulse").json()
    with closing(Ledger(run / "ledger.sqlite")) as ledger:
        ledger.intend("other", "train targeted", 2)
    after = client.get(f"/runs/{RUN}/pulse").json()
    assert (before["step"], after["step"]) == ("curate 1 done", "train targeted 2 begun")


def test_the_first_page_has_a_pulse_of_the_sessions_that_go_on(tmp_path: Path) -> None:
    make_run(tmp_path, story(), name="done")
    run = make_run(tmp_path, story(), name="going", status="running")
    stored = json.loads((run / "session.json").read_text())
    (run / "session.json").write_text(json.dumps({**stored, "pid": os.getpid()}))
    client = visit(tmp_path)
    assert 'data-pulse="/pulse"' in client.get("/").text
    assert list(client.get("/pulse").json()) == ["going"]


def test_a_finished_session_is_not_watched(tmp_path: Path) -> None:
    make_run(tmp_path, story())
    assert "data-pulse" not in visit(tmp_path).get(f"/runs/{RUN}").text


def test_a_run_without_a_trace_or_records_has_pages_all_the_same(tmp_path: Path) -> None:
    run = make_run(tmp_path, [])
    (run / "trace.sqlite").unlink()
    assert_ours(visit(tmp_path).get(f"/runs/{RUN}").text)
    assert "no step has ended yet" in visit(tmp_path).get(f"/runs/{RUN}/trace").text


@pytest.mark.parametrize(
    "path",
    ["rounds/9", "rounds/x", "rounds/-1", "rounds/99999999999", "weaknesses/no", "samples/no", "records/no", "trace/no",
     "skill?name=no", "skill", "exams?before=no", "nothing"],
)  # fmt: skip
def test_what_is_not_there_is_a_page_that_says_so(tmp_path: Path, path: str) -> None:
    make_run(tmp_path, story())
    answer = visit(tmp_path).get(f"/runs/{RUN}/{path}")
    assert answer.status_code == 404
    assert_ours(answer.text)


@pytest.mark.parametrize(
    "number", ["-1", "1e9", "9" * 5000, "9" * 15, "٣", "²", "nan", "", "0x1", " 1", "\x00", "NULL"]
)
def test_a_number_nobody_would_ask_for_does_no_harm(tmp_path: Path, number: str) -> None:
    make_run(tmp_path, story())
    client, place = visit(tmp_path), f"/runs/{RUN}"
    asked = [("/", "from"), (place, "from"), (f"{place}/samples", "after"), (f"{place}/samples", "round")]
    asked += [(f"{place}/trace", "from"), (f"{place}/trace?q=a", "steps"), (f"{place}/trace?q=a", "records")]
    asked += [(f"{place}/trace/00000001/parts", name) for name in ("level", "start", "end")]
    for path, name in asked:
        assert client.get(path, params={**({"q": "a"} if "?" in path else {}), name: number}).status_code == 200, path


def test_what_no_session_wrote_costs_a_page_and_not_the_viewer(tmp_path: Path) -> None:
    run = make_run(tmp_path, story())
    with closing(sqlite3.connect(run / "ledger.sqlite")) as database:
        database.execute("update records set body = '{\"<script>\": 1}' where kind = 'observation'")
        database.commit()
    client = visit(tmp_path)
    answer = client.get(f"/runs/{RUN}")
    assert (answer.status_code, "cannot be read" in answer.text) == (404, True)
    assert "content-security-policy" in answer.headers
    assert_ours(answer.text)
    assert client.get(f"/runs/{RUN}/trace").status_code == 200


def test_a_step_that_left_what_nobody_expects_is_a_page_that_says_so_with_status_500(tmp_path: Path) -> None:
    run = make_run(tmp_path, story())
    with closing(sqlite3.connect(run / "ledger.sqlite")) as database:
        database.execute("update effects set result = '{\"<script>\": 1}' where name = 'curate'")
        database.commit()
    client = visit(tmp_path)
    answer = client.get(f"/runs/{RUN}")
    assert (answer.status_code, "KeyError" in answer.text) == (500, True)
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert_ours(answer.text)
    assert client.get(f"/runs/{RUN}/trace").status_code == 200
    assert "damaged" in client.get("/").text


def test_a_search_for_a_whole_book_looks_for_its_beginning(tmp_path: Path) -> None:
    make_run(tmp_path, story())
    assert visit(tmp_path).get(f"/runs/{RUN}/trace", params={"q": "x" * 60_000}).status_code == 200


def test_pages_load_no_model_graph_or_vector_store(tmp_path: Path) -> None:
    import subprocess
    import sys

    make_run(tmp_path, story())
    script = (
        "import sys\nfrom pathlib import Path\n"
        "from starlette.testclient import TestClient\n"
        "from evolvent.memory.viewer.app import application\nfrom evolvent.memory.viewer.places import Library\n"
        f"client = TestClient(application(Library(Path({str(tmp_path)!r}))), base_url='http://127.0.0.1')\n"
        f"assert client.get('/runs/{RUN}').status_code == 200\n"
        "print([n for n in ('torch', 'langgraph', 'chromadb', 'transformers', 'pandas') if n in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert json.loads(said.stdout.replace("'", '"')) == []
