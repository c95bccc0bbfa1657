from pathlib import Path

import pytest

from evolvent.memory.errors import RunError, UsageError
from evolvent.memory.viewer.guard import HEADERS
from evolvent.memory.viewer.places import Library
from evolvent.memory.viewer.server import serve

from ..runs import make_run, story
from .visits import raw, visit

RUN = "then_mini_0001"
TOKEN = "a-token-of-enough-letters"


def make_runs(folder: Path) -> Path:
    """A folder of runs, one that is not in it, and a link that leads there."""
    make_run(folder / "runs", story())
    make_run(folder / "secret", story("a secret"), name="other")
    (folder / "runs" / "link").symlink_to(folder / "secret" / "other")
    return folder / "runs"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_runs(tmp_path_factory.mktemp("guard"))


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:7411", "127.0.0.1.evil.example", "localhost.evil.example", "2130706433", "127.1",
     "0x7f.0.0.1", "localhost.", "", "[::1", "[127.0.0.1]", "192.168.0.7", "0.0.0.0", "localhost:x", "a@127.0.0.1",
     "127.0.0.1:7411:1", "127.0.0.1, evil.example"],
)  # fmt: skip
def test_a_name_that_is_not_this_machine_gets_nothing(runs: Path, host: str) -> None:
    answer = visit(runs).get("/", headers={"host": host})
    assert answer.status_code == 421
    assert RUN not in answer.text


@pytest.mark.parametrize("host", ["127.0.0.1:7411", "localhost:7411", "LOCALHOST", "[::1]:7411", "127.0.0.9"])
def test_this_machine_is_answered_under_each_of_its_names(runs: Path, host: str) -> None:
    assert visit(runs).get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://localhost:7411", "http://127.0.0.1:9"])
def test_a_page_of_another_site_gets_nothing(runs: Path, origin: str) -> None:
    assert visit(runs).get("/", headers={"origin": origin}).status_code == 403


@pytest.mark.parametrize(
    ("site", "mode", "status"),
    [("cross-site", "no-cors", 403), ("same-site", "cors", 403), ("cross-site", "navigate", 200),
     ("same-origin", "cors", 200), ("none", "navigate", 200)],
)  # fmt: skip
def test_other_sites_may_link_here_but_not_read(runs: Path, site: str, mode: str, status: int) -> None:
    headers = {"sec-fetch-site": site, "sec-fetch-mode": mode}
    assert visit(runs).get("/", headers=headers).status_code == status


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_nothing_but_reading_is_answered(runs: Path, method: str) -> None:
    assert visit(runs).request(method, f"/runs/{RUN}").status_code == 405


@pytest.mark.parametrize("path", ["/", f"/runs/{RUN}", "/assets/view.js", "/nothing", f"/runs/{RUN}/pulse"])
def test_every_answer_forbids_foreign_code_frames_and_copies(runs: Path, path: str) -> None:
    answer = visit(runs).get(path)
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert "unsafe" not in HEADERS["content-security-policy"]


TRAVERSALS = [
    "..", ".", "../secret/other", "..%2fsecret%2fother", "..%2Fsecret%2Fother", "%2e%2e%2fsecret%2fother",
    "%2e%2e/secret/other", "..%252fsecret%252fother", "..\\secret\\other", "..%5csecret%5cother", "....//secret/other",
    "..;/secret/other", "%c0%ae%c0%ae/secret", "..%c0%afsecret", "/etc/passwd", "//etc/passwd", "%2fetc%2fpasswd",
    "file:%2f%2f%2fetc%2fpasswd", "then_mini_0001/../../secret/other", "then_mini_0001%2f..%2f..%2fsecret%2fother",
    "then_mini_0001%00", "%00", "then_mini_0001%0a", "~", "~root", "$HOME", "*", "then_mini_000?", "C:%5cwindows",
    ".hidden", "-rf", "link", "then_mini_0001%20", "x" * 300,
]  # fmt: skip


@pytest.mark.parametrize("name", TRAVERSALS)
def test_no_name_leads_out_of_the_folder_of_runs(runs: Path, name: str) -> None:
    for path in (f"/runs/{name}", f"/runs/{name}/pulse", f"/assets/{name}"):
        status, text = raw(visit(runs), path)
        assert (status, "a secret" in text) == (404, False), path


@pytest.mark.parametrize("name", ["session.json", "ledger.sqlite", "trace.sqlite", "scenario.resolved.json"])
def test_a_link_inside_a_run_is_not_followed(tmp_path: Path, name: str) -> None:
    runs = make_runs(tmp_path)
    (runs / RUN / name).unlink()
    (runs / RUN / name).symlink_to(runs.parent / "secret" / "other" / name)
    answer = visit(runs).get(f"/runs/{RUN}")
    assert answer.status_code == 404
    assert "a secret" not in answer.text


def test_runs_that_were_named_are_shown_and_no_others(runs: Path) -> None:
    client = visit([runs.parent / "secret" / "other"])
    assert client.get("/runs/other").status_code == 200
    assert client.get(f"/runs/{RUN}").status_code == 404
    assert [p.name for p in Library([runs / RUN]).all()] == [RUN]


def test_with_a_token_only_who_brings_it_is_answered(runs: Path) -> None:
    client = visit(runs, token=TOKEN, host="0.0.0.0")
    assert client.get("/").status_code == 401
    assert client.get("/?token=wrong").status_code == 401
    assert client.get("/", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200
    assert client.get("/", headers={"cookie": f"evolvent_view={TOKEN}"}).status_code == 401


def test_the_token_leaves_the_address_and_stays_in_a_cookie_scripts_cannot_read(runs: Path) -> None:
    client = visit(runs, token=TOKEN, host="0.0.0.0")
    answer = client.get(f"/runs/{RUN}/samples?token={TOKEN}&round=1")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/runs/{RUN}/samples?round=1")
    cookie = answer.headers["set-cookie"]
    assert TOKEN not in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert client.get(f"/runs/{RUN}").status_code == 200


def test_the_way_in_does_not_lead_to_another_site(runs: Path) -> None:
    answer = visit(runs, token=TOKEN).get(f"//evil.example/?token={TOKEN}")
    assert not answer.headers.get("location", "/").startswith("//")


@pytest.mark.parametrize(("host", "status"), [("192.168.0.7:7411", 200), ("evil.example", 421), ("box.local", 200)])
def test_other_machines_reach_it_by_address_or_the_name_listened_on(runs: Path, host: str, status: int) -> None:
    client = visit(runs, token=TOKEN, host="box.local")
    headers = {"host": host, "authorization": f"Bearer {TOKEN}"}
    assert client.get("/", headers=headers).status_code == status


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.7", "box.local", ""])
def test_listening_to_other_machines_needs_a_token(runs: Path, host: str) -> None:
    with pytest.raises(UsageError, match="give --token"):
        serve(runs, host=host, port=0, token=None, say=print)


def test_a_token_that_can_be_guessed_is_refused(runs: Path) -> None:
    with pytest.raises(UsageError, match="can be guessed"):
        serve(runs, host="127.0.0.1", port=0, token="secret", say=print)


def test_a_folder_that_is_not_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="not a run"):
        serve([tmp_path], host="127.0.0.1", port=0, token=None, say=print)
