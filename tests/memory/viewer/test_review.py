import re
from pathlib import Path
from urllib.parse import urlencode

import pytest
from starlette.testclient import TestClient

from evolvent.memory.choices import Choice, standing
from evolvent.memory.reading import Run
from evolvent.memory.reviews import Review, settled
from evolvent.memory.viewer.app import application
from evolvent.memory.viewer.guard import HEADERS
from evolvent.memory.viewer.places import Library
from evolvent.memory.viewer.server import serve

from ..runs import make_attempt, make_run, make_sample, make_weakness
from ..waiting import RUN, make_records, make_waiting
from .test_payloads import PAYLOADS
from .visits import HERE, assert_ours, visit

TOKEN = "a-token-of-enough-letters"
PAGE = f"/runs/{RUN}/review"
KIND = {"content-type": "application/x-www-form-urlencoded"}
OURS = {"origin": HERE, **KIND}


def deciding(runs: Path, *, known: bool = True) -> TestClient:
    """A visitor of a viewer that takes decisions."""
    app = application(Library(runs), token=TOKEN, by="ann")
    client = TestClient(app, base_url=HERE, follow_redirects=False)
    if known:
        assert client.get(f"/?token={TOKEN}").status_code == 303
    return client


def mark_of(client: TestClient) -> str:
    found = re.search(r'name="mark" value="([0-9a-f]{64})"', client.get(PAGE).text)
    assert found
    return found[1]


def choices(runs: Path) -> dict[str, Choice]:
    with Run.load(runs / RUN) as run:
        return standing(run).choices


def test_the_queue_is_a_page_with_a_form_for_every_decision(tmp_path: Path) -> None:
    make_waiting(tmp_path, "1+1", "2+2")
    seen = assert_ours(deciding(tmp_path).get(PAGE).text)
    assert "2 waiting" in seen.text
    assert "You decide as ann" in seen.text
    assert {"form", "textarea"} <= seen.tags


def test_a_viewer_that_only_reads_shows_the_queue_without_any_form(tmp_path: Path) -> None:
    make_waiting(tmp_path)
    client = visit(tmp_path)
    seen = assert_ours(client.get(PAGE).text)
    assert "textarea" not in seen.tags
    assert "evolvent review" in seen.text
    assert client.post(PAGE, headers=OURS, content="action=accept").status_code == 405
    assert f'href="{PAGE}"' in client.get(f"/runs/{RUN}").text


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"action": "accept"}, {"action": "accept"}),
        ({"action": "reject", "reason": "no sum"}, {"action": "reject", "reason": "no sum"}),
        ({"action": "edit", "prompt": "1+1", "answer": "a\r\nb"}, {"action": "edit", "answer": "a\nb"}),
    ],
)
def test_a_form_becomes_a_decision_by_whoever_started_the_viewer(
    tmp_path: Path, fields: dict[str, str], wanted: dict[str, str]
) -> None:
    _, (sample, *_) = make_waiting(tmp_path)
    client = deciding(tmp_path)
    body = urlencode({"mark": mark_of(client), "sample": sample.id, **fields})
    answer = client.post(PAGE, headers=OURS, content=body)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PAGE}?decided={sample.id}")
    made = choices(tmp_path)[sample.id].model_dump(exclude_defaults=True)
    assert made == {"sample": sample.id, "by": "ann", **wanted}
    once = (tmp_path / RUN / "review" / "round-001" / f"{sample.id}.json").read_bytes()
    assert client.post(PAGE, headers=OURS, content=body).status_code == 303
    assert (tmp_path / RUN / "review" / "round-001" / f"{sample.id}.json").read_bytes() == once


@pytest.mark.parametrize(
    "headers",
    [
        KIND,
        {**KIND, "origin": "null"},
        {**KIND, "origin": "http://evil.example"},
        {**KIND, "origin": "http://127.0.0.1:9"},
        {**KIND, "origin": "http://localhost:7411"},
        {**OURS, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"},
        {**OURS, "sec-fetch-site": "same-site"},
        {**OURS, "sec-fetch-site": "none"},
    ],
)
def test_a_form_that_no_page_of_ours_sent_decides_nothing(tmp_path: Path, headers: dict[str, str]) -> None:
    _, (sample, *_) = make_waiting(tmp_path)
    client = deciding(tmp_path)
    body = urlencode({"mark": mark_of(client), "sample": sample.id, "action": "accept"})
    assert client.post(PAGE, headers=headers, content=body).status_code == 403
    assert choices(tmp_path) == {}


def test_a_decision_needs_the_token_the_mark_and_a_name_of_this_machine(tmp_path: Path) -> None:
    _, (sample, *_) = make_waiting(tmp_path)
    mark = mark_of(deciding(tmp_path))
    plain = {"sample": sample.id, "action": "accept"}
    stranger, known = deciding(tmp_path, known=False), deciding(tmp_path)
    whole = urlencode({**plain, "mark": mark})
    assert stranger.post(PAGE, headers=OURS, content=whole).status_code == 401
    for body in (urlencode(plain), urlencode({**plain, "mark": "0" * 64}), urlencode({**plain, "mark": TOKEN})):
        assert known.post(PAGE, headers=OURS, content=body).status_code == 403
    foreign = {**OURS, "host": "evil.example", "origin": "http://evil.example"}
    assert known.post(PAGE, headers=foreign, content=whole).status_code == 421
    assert choices(tmp_path) == {}


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("text/plain", "{}", 403),
        ("application/json", "{}", 403),
        ("application/x-www-form-urlencoded", "", 403),
        ("application/x-www-form-urlencoded", "x" * 2_000_000, 403),
        ("application/x-www-form-urlencoded", "&".join(f"a{i}=b" for i in range(99)), 403),
        ("application/x-www-form-urlencoded", "mark=MARK&mark=MARK", 403),
        ("application/x-www-form-urlencoded", "mark=MARK&sample=SAMPLE&action=%ff", 403),
        ("application/x-www-form-urlencoded", "mark=MARK&sample=SAMPLE&action=sell", 409),
        ("application/x-www-form-urlencoded", "mark=MARK&sample=SAMPLE&action=accept&by=eve", 303),
        ("application/x-www-form-urlencoded", "mark=MARK&sample=ffffffffffffffff&action=accept", 409),
        ("application/x-www-form-urlencoded", "mark=MARK&sample=..%2F..%2Fsession&action=accept", 409),
    ],
)
def test_whatever_else_is_sent_is_refused_and_nobody_speaks_for_another(
    tmp_path: Path, kind: str, body: str, status: int
) -> None:
    run, (sample, *_) = make_waiting(tmp_path)
    client = deciding(tmp_path)
    sent = body.replace("MARK", mark_of(client)).replace("SAMPLE", sample.id)
    answer = client.post(PAGE, headers={"origin": HERE, "content-type": kind}, content=sent)
    assert answer.status_code == status
    assert [choice.by for choice in choices(tmp_path).values()] == ["ann"] * (status == 303)
    assert {path.name for path in run.glob("*.json")} == {"session.json", "scenario.resolved.json"}


@pytest.mark.parametrize("path", ["/", f"/runs/{RUN}", f"/runs/{RUN}/samples", "/assets/view.js", "/pulse"])
def test_no_other_address_takes_anything(tmp_path: Path, path: str) -> None:
    make_waiting(tmp_path)
    client = deciding(tmp_path)
    assert client.post(path, headers=OURS, content="action=accept").status_code == 404
    assert client.put(PAGE, headers=OURS, content="action=accept").status_code == 405


def test_pages_that_take_decisions_keep_the_policy_and_tell_their_own_site_alone_where_they_are(tmp_path: Path) -> None:
    make_waiting(tmp_path)
    headers = deciding(tmp_path).get(PAGE).headers
    assert {n: headers[n] for n in HEADERS if n != "referrer-policy"} == {
        n: value for n, value in HEADERS.items() if n != "referrer-policy"
    }
    assert headers["referrer-policy"] == "same-origin"


def test_no_text_of_a_model_is_markup_in_a_form(tmp_path: Path) -> None:
    make_waiting(tmp_path, *PAYLOADS[:20])
    assert_ours(deciding(tmp_path).get(PAGE).text)
    closing = "</textarea><script>alert(1)</script>"
    make_waiting(tmp_path / "more", closing)
    assert "<script>alert" not in deciding(tmp_path / "more").get(PAGE).text


def test_a_viewer_that_takes_decisions_makes_up_a_token_and_shows_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        """End at once."""

    said: list[str] = []
    monkeypatch.setattr("uvicorn.Server.run", stop)
    for _ in range(2):
        serve(tmp_path, host="127.0.0.1", port=0, token=None, say=said.append, by="ann")
    tokens = [found[1] for line in said if (found := re.search(r"\?token=([\w-]{32});", line))]
    assert len(set(tokens)) == 2
    assert "takes decisions of ann" in said[0]


def test_what_a_person_decided_is_told_wherever_the_sample_is_shown(tmp_path: Path) -> None:
    failure = make_attempt()
    weakness = make_weakness(failure)
    samples = [make_sample(text, weakness=weakness) for text in ("1+1", "2+2", "3+3")]
    rejected = Review(sample=samples[0].id, round=1, action="reject", by="ann", reason="no sum")
    edited = Review(sample=samples[1].id, round=1, action="edit", by="bob", edited=samples[2].id)
    make_run(tmp_path, [failure, weakness, *make_records(samples, rejected, edited)])
    client = visit(tmp_path)
    pages = [assert_ours(client.get(f"/runs/{RUN}/samples/{sample.id}").text).text for sample in samples]
    assert "Rejected. review: rejected by ann: no sum." in pages[0]
    assert f"It is now sample {samples[2].id[:8]}" in pages[1]
    kept = assert_ours(client.get(f"/runs/{RUN}/samples?end=kept").text).text
    assert ("3+3" in kept, "1+1" in kept, "2+2" in kept) == (True, False, False)
    turned_down = assert_ours(client.get(f"/runs/{RUN}/samples?round=1&end=review").text).text
    assert "review: edited by bob" in turned_down
    assert "2 candidates removed" in assert_ours(client.get(f"/runs/{RUN}/rounds/1").text).text
    assert "no sum" in assert_ours(client.get(PAGE).text).text
    with Run.load(tmp_path / RUN) as run:
        rows = {row["sample"]: (row["kept"], row["reason"]) for row in run.samples().to_pylist()}
        told = {fate.sample: (fate.kept, fate.reason) for fate in settled(run.ledger)}
    assert rows == told
