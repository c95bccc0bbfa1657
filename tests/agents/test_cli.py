import json
import os
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from evolvent.agents import graph, planning
from evolvent.agents.desk import Desk
from evolvent.agents.reports.watcher import Nobody
from evolvent.memory import crash, files
from evolvent.memory.lock import Lock

from ..killing import COMMAND, MINI, Ended, Json, Kill, figures, look, lost, newest
from ..killing import session as child
from .calling import Cli, Said

HELP = 0.7
"""Seconds that `--help` may take."""


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was begun and left at once."""
    plan = planning.plan(MINI, [], seed=0, limit=None, allow_import=False)
    desk = Desk.create(
        tmp_path_factory.mktemp("begun"),
        plan.scenario,
        plan.parts,
        plan.session(),
        toml=plan.toml,
        stamp="then",
        watcher=Nobody(),
    )
    desk.close()
    return desk.run


@pytest.fixture
def run(begun: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(begun, tmp_path / "runs" / "one"))


def everything(folder: Path) -> dict[str, bytes]:
    """All that matters of a folder; SQLite's shared memory is made and dropped at will."""
    return {str(p): p.read_bytes() for p in folder.rglob("*") if p.is_file() and not p.name.endswith(("-shm", "-wal"))}


def assert_refused(said: Said, *parts: str, code: int = 2) -> None:
    """One line on standard error that names the place and the way out, and nothing else."""
    assert said.code == code, said
    assert said.out == ""
    assert said.err.startswith("evolvent: ")
    assert said.err.count("\n") == 1
    assert [part for part in parts if part not in said.err] == [], said.err


TOML = 'name = "x"\nsource = "arithmetic"\n[skills.a]\ntask = { operation = "add" }\n'
SCENARIOS: dict[str, tuple[bytes, Sequence[str]]] = {
    "malformed": (b"name = [", ("scenario.toml: not a TOML file",)),
    "empty": (b"", ("scenario.toml needs 'name'",)),
    "binary": (b"\x80\x81", ("byte 0 is not UTF-8; save the file as UTF-8",)),
    "oversized": (b"# " + b"x" * (1 << 20), ("1,048,578 bytes; a scenario may have 1,048,576",)),
    "deep": (b"a = " + b"[" * 2000 + b"]" * 2000, ("scenario.toml: ",)),
    "unknown key": (b"epoch = 3\n" + TOML.encode(), ("no setting 'epoch'", "known: ")),
    "unknown nested key": (f"{TOML}[rounds]\nmots = 2\n".encode(), ("'mots' in 'rounds'", "did you mean 'most'")),
    "unknown part": (f'{TOML}[trainer]\nname = "stf"\n'.encode(), ("no trainer called 'stf'", "did you mean 'sft'")),
    "own module": (f'{TOML}[trainer]\nname = "os.path"\n'.encode(), ("allow it with --allow-import",)),
    "unknown setting": (f"{TOML}[trainer]\nepoch = 3\n".encode(), ("trainer 'sft' has no setting 'epoch'",)),
    "wrong version": (b"version = 2\n" + TOML.encode(), ("scenario.toml: version",)),
    "name of a path": (TOML.replace('"x"', '"../x"').encode(), ("scenario.toml: name", "'../x'")),
    "only guards": (TOML.encode() + b"guard = true\n", ("at least one must be taught",)),
}


@pytest.mark.parametrize("command", [("run",), ("run", "--dry-run"), ("scenario", "validate")], ids=" ".join)
@pytest.mark.parametrize(("content", "parts"), SCENARIOS.values(), ids=SCENARIOS)
def test_a_scenario_that_is_wrong_is_refused_in_one_line(
    evolvent: Cli, tmp_path: Path, content: bytes, parts: Sequence[str], command: Sequence[str]
) -> None:
    path = tmp_path / "scenario.toml"
    path.write_bytes(content)
    assert_refused(evolvent(*command, path), *parts)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("place", ["nothing.toml", "", ".", "/", "/dev/null", "two\nlines.toml", "\udcff.toml"])
def test_a_scenario_that_is_not_a_file_is_refused(evolvent: Cli, tmp_path: Path, place: str) -> None:
    assert_refused(evolvent("run", place), "no such scenario file; shipped with evolvent: arithmetic.toml")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("override", "part"),
    [
        ("rounds.mots=2", "did you mean 'most'"), ("rounds", "write it as key.path=value"), ("=1", "key.path=value"),
        ("rounds.most=many", "rounds.most"), ("rounds.most.deep=1", "'most'"), ("gate.alpha=nan", "gate.alpha"),
    ],
)  # fmt: skip
def test_an_override_that_is_wrong_is_refused(evolvent: Cli, tmp_path: Path, override: str, part: str) -> None:
    assert_refused(evolvent("run", MINI, "--set", override), part)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["file", "file/deeper", "/proc/nothing"])
@pytest.mark.parametrize("options", [(), ("--dry-run",)], ids=str)
def test_a_runs_folder_that_cannot_be_written_is_refused(
    evolvent: Cli, tmp_path: Path, place: str, options: Sequence[str]
) -> None:
    (tmp_path / "file").write_text("mine")
    said = evolvent("run", MINI, "--runs-dir", place, *options)
    assert_refused(said, f"{place}: cannot be written", "choose another folder with --runs-dir")
    assert everything(tmp_path) == {str(tmp_path / "file"): b"mine"}


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("nonsense",), "no such command 'nonsense'; try `evolvent --help`"), (("runs", "nonsense"), "no such command"),
        (("run",), "missing argument"), (("run", str(MINI), "--nope"), "no such option"),
        (("run", str(MINI), "--seed", "-1"), "--seed"), (("run", str(MINI), "--limit", "9"), "--limit"),
        (("run", str(MINI), "--seed", "9" * 23), "--seed"),
    ],
)  # fmt: skip
def test_a_command_line_that_is_wrong_is_refused(evolvent: Cli, arguments: Sequence[str], part: str) -> None:
    assert_refused(evolvent(*arguments), part, "try `evolvent --help`")


def test_without_a_command_the_commands_are_listed(evolvent: Cli) -> None:
    said = evolvent()
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("Usage: ")
    assert "resume" in said.err
    assert "evolvent: " not in said.err


@pytest.mark.parametrize("command", [("resume",), ("report",), ("runs", "show")], ids=" ".join)
@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"session": 3}', "\udcff"])
def test_a_folder_that_is_no_run_is_refused_and_left_alone(
    evolvent: Cli, tmp_path: Path, content: str | None, command: Sequence[str]
) -> None:
    folder = tmp_path / "foreign"
    folder.mkdir()
    (folder / "letters.txt").write_text("mine")
    if content is not None:
        (folder / "session.json").write_text(content, errors="surrogateescape")
    before = everything(tmp_path)
    assert_refused(evolvent(*command, folder), str(folder))
    assert everything(tmp_path) == before


@pytest.mark.parametrize("command", [("resume",), ("report",), ("runs", "show")], ids=" ".join)
def test_a_run_that_is_not_there_is_refused(evolvent: Cli, tmp_path: Path, command: Sequence[str]) -> None:
    said = evolvent(*command, "yesterday")
    assert_refused(said, "runs/yesterday: not a run of evolvent; `evolvent runs list` shows the ones there are")
    assert list(tmp_path.iterdir()) == []


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def older_of_other_data(run: Path) -> None:
    """A run that was begun before ledgers knew their session, with a source that is another by now."""
    change(run / "session.json", '"source": "', '"source": "0')
    with closing(sqlite3.connect(run / "ledger.sqlite")) as database:
        database.execute("delete from meta where key = 'session'")
        database.commit()


DAMAGES: dict[str, tuple[Callable[[Path], object], Sequence[str]]] = {
    "changed scenario": (
        lambda r: change(r / "scenario.resolved.json", '"samples": 120', '"samples": 121'),
        ("scenario.resolved.json: the scenario changed since this run began; undo the change",),
    ),
    "unknown setting": (
        lambda r: change(r / "scenario.resolved.json", '"samples": 120', '"samplez": 120'),
        ("scenario.resolved.json has no setting 'samplez' in 'rounds'",),
    ),
    "half a scenario": (lambda r: (r / "scenario.resolved.json").write_text("{"), ("is damaged", "from a copy")),
    "no scenario": (lambda r: (r / "scenario.resolved.json").unlink(), ("not a run of evolvent",)),
    "other graph": (
        lambda r: change(r / "session.json", '"graph": "', '"graph": "0'),
        ("begun with graph 0", f"this version has {graph.fingerprint()}", "or start a new run"),
    ),
    "other data": (older_of_other_data, ("data behind source",)),
    "empty ledger": (lambda r: (r / "ledger.sqlite").write_bytes(b""), ("ledger.sqlite", "missing or empty")),
    "no ledger": (lambda r: (r / "ledger.sqlite").unlink(), ("ledger.sqlite", "missing or empty")),
    "zeroed ledger": (
        lambda r: (r / "ledger.sqlite").write_bytes(b"\0" * 8192),
        ("ledger.sqlite: the ledger cannot be read", "restore it from a copy, nothing was changed"),
    ),
    "damaged place in the graph": (lambda r: (r / "graph.sqlite").write_bytes(b"x" * 8192), ("graph.sqlite", "delete")),
    "lock of a folder": (lambda r: ((r / "lock").unlink(), (r / "lock").mkdir()), ("lock: is a folder", "remove it")),
    "other seed": (
        lambda r: change(r / "session.json", '"seed": 0', '"seed": 1'),
        ("session.json is not of the session",),
    ),
    "damaged trace": (lambda r: (r / "trace.sqlite").write_bytes(b"x" * 8192), ("trace.sqlite", "delete it")),
}


@pytest.mark.parametrize(("damage", "parts"), DAMAGES.values(), ids=DAMAGES)
def test_a_run_that_was_changed_is_not_resumed_and_left_as_it_is(
    evolvent: Cli, run: Path, damage: Callable[[Path], object], parts: Sequence[str]
) -> None:
    damage(run)
    before = everything(run)
    assert_refused(evolvent("resume", run), *parts)
    assert {path: content for path, content in everything(run).items() if not path.endswith("lock")} == {
        path: content for path, content in before.items() if not path.endswith("lock")
    }


def test_a_finished_run_takes_no_other_settings(evolvent: Cli, run: Path) -> None:
    change(run / "session.json", '"running"', '"finished"')
    assert_refused(evolvent("resume", run, "--set", "rounds.most=4"), "is finished and takes no --set", "evolvent run")


def test_a_run_is_shown_from_inside_its_folder(evolvent: Cli, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run)
    assert evolvent("runs", "show", ".").out.startswith("one: ")
    monkeypatch.chdir(run / "rounds")
    assert evolvent("runs", "show", "..").out.startswith("one: ")


def test_a_run_that_goes_on_is_not_to_be_resumed(evolvent: Cli, run: Path) -> None:
    change(run / "session.json", '"status"', f'"pid": {os.getpid()}, "status"')
    shown = evolvent("runs", "show", run).out
    assert shown.startswith("one: running")
    assert "resume" not in shown


def test_a_process_that_has_no_number_is_gone(evolvent: Cli, run: Path) -> None:
    change(run / "session.json", '"status"', '"pid": "abc", "status"')
    assert evolvent("runs", "show", run).out.startswith("one: interrupted")


def test_a_run_that_is_being_written_is_refused_with_the_pid(evolvent: Cli, run: Path) -> None:
    with Lock(run):
        before = everything(run)
        assert_refused(evolvent("resume", run), str(run), f"process {os.getpid()} is writing to this run")
        assert everything(run) == before


def test_a_run_that_has_hardly_begun_is_shown_and_listed(evolvent: Cli, run: Path) -> None:
    shown, listed = evolvent("runs", "show", run), evolvent("runs", "list", "--json")
    assert shown.code == listed.code == 0
    assert f"evolvent resume {run}" in shown.out
    assert [json.loads(line)["run"] for line in listed.out.splitlines()] == ["one"]


def test_a_damaged_run_does_not_hide_the_others(evolvent: Cli, run: Path) -> None:
    shutil.copytree(run, run.with_name("two"))
    (run.with_name("two") / "session.json").write_text("{")
    (run / "report.json").write_text("[]")
    statuses = {json.loads(line)["run"] for line in evolvent("runs", "list", "--json").out.splitlines()}
    assert statuses == {"one", "two"}


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_dry_run_runs_nothing_and_writes_nothing(evolvent: Cli, tmp_path: Path, options: Sequence[str]) -> None:
    said = evolvent("run", MINI, "--dry-run", *options)
    assert (said.code, said.err) == (0, "")
    assert json.loads(said.out)["event"] == "plan" if options else "scenario mini" in said.out
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full_is_said_in_one_line(evolvent: Cli, tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [COMMAND, "run", MINI, "--dry-run"], stdout=full, stderr=subprocess.PIPE, cwd=tmp_path, text=True
        )
    assert_refused(Said(done.returncode, "", done.stderr), "No space left on device", code=1)


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    with subprocess.Popen(
        [COMMAND, "run", MINI, "--dry-run"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 1


@pytest.mark.slow
def test_help_is_quick(tmp_path: Path) -> None:
    seconds: list[float] = []
    for _ in range(5):
        since = time.perf_counter()
        said = subprocess.run([COMMAND, "--help"], capture_output=True, cwd=tmp_path, check=True)
        seconds.append(time.perf_counter() - since)
        assert b"resume" in said.stdout
    assert min(seconds) < HELP


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sessions")


@pytest.fixture(scope="module")
def finished(folder: Path) -> Ended:
    return child("run", MINI, "--json", folder=folder)


def place(ended: Ended) -> Path:
    return Path(ended.events[0]["dir"])


DONE = {
    "event", "run", "status", "select", "report", "guards", "rounds", "promoted", "samples", "dataset_hash", "control",
    "wall_seconds", "shares",
}  # fmt: skip


@pytest.mark.slow
def test_json_lines_keep_their_contract(finished: Ended) -> None:
    launch, *rounds, done = finished.events
    assert finished.code == 0
    assert (launch["event"], done["event"], done["run"], done["status"]) == (
        "launch",
        "done",
        launch["run"],
        "finished",
    )
    assert [(line["event"], line["n"], line["promoted"]) for line in rounds] == [
        ("round", 1, False),
        ("round", 2, True),
    ]
    assert done.keys() >= DONE
    assert {"before", "after"} <= done["select"].keys() & done["report"].keys()
    assert (done["promoted"], len(done["dataset_hash"])) == ([2], 32)
    assert done["dataset_hash"] == done["last_dataset_hash"]
    assert sum(done["shares"].values()) == pytest.approx(1)
    assert done["wall_seconds"] <= finished.seconds


@pytest.mark.slow
def test_a_session_begins_with_its_plan(evolvent: Cli, finished: Ended) -> None:
    lines = evolvent("run", MINI, "--dry-run").out.splitlines()
    assert lines == evolvent("scenario", "validate", MINI).out.splitlines()
    assert finished.said.splitlines()[: len(lines)] == lines
    assert [kind for kind in ("target", "guard", "select") if not any(x.startswith(kind) for x in lines)] == []


@pytest.mark.slow
def test_a_session_stays_within_what_its_plan_says_at_most(finished: Ended) -> None:
    plan = planning.plan(MINI, [], seed=0, limit=None, allow_import=False)
    expected, first = plan.estimate, plan.parts.first_trainer(plan.scenario).steps(plan.scenario.student.first.samples)
    run, done = place(finished), finished.events[-1]
    kinds = figures(run, done)["counts"]
    exams = [json.loads(body) for key, body in look(run).records.items() if key.startswith("exam ")]
    assert done["rounds"] <= expected.rounds
    assert 0 < kinds["attempt"] == done["cost"]["probe_answers"] <= expected.probes
    assert sum(len(exam["passed"]) for exam in exams) <= expected.exam_answers
    assert done["samples"]["kept"] + done["control"]["samples"] <= expected.samples
    assert done["cost"]["training_steps"] + done["cost"]["control_steps"] + first <= expected.steps
    assert sum(path.stat().st_size for path in run.rglob("*") if path.is_file()) <= expected.bytes


@pytest.mark.slow
def test_without_a_terminal_there_is_no_colour_and_every_line_is_whole(finished: Ended) -> None:
    assert "\x1b" not in finished.said
    assert [line for line in finished.said.splitlines() if not line[:5].strip()] == []


@pytest.mark.slow
def test_a_finished_run_is_not_run_again(folder: Path, finished: Ended) -> None:
    before = everything(place(finished))
    ended = child("resume", place(finished), "--json", folder=folder)
    assert (ended.code, ended.events) == (0, finished.events[-1:])
    assert everything(place(finished)) == before


@pytest.mark.slow
def test_a_session_stopped_by_hand_says_how_to_go_on_and_comes_to_the_same(folder: Path, finished: Ended) -> None:
    before = sorted((folder / "runs").iterdir())
    first = child("run", MINI, folder=folder, kill=Kill(count=5, number=signal.SIGINT))
    run = newest(folder, before)
    assert run
    stood = look(run)
    second = child("resume", run, folder=folder, kill=Kill(count=22, later=0.2, number=signal.SIGTERM))
    assert (first.code, second.code) == (130, 143), second.said
    for said in (first.said, second.said):
        assert f"interrupted; go on with: evolvent resume {run}\n" in said
    last = child("resume", run, "--json", folder=folder)
    assert figures(run, last.events[-1]) == figures(place(finished), finished.events[-1])
    assert lost(stood, look(run)) == []


@pytest.mark.slow
@pytest.mark.parametrize("later", [0.0, 0.3])
def test_a_session_stopped_while_it_opens_says_how_to_go_on_or_leaves_nothing(tmp_path: Path, later: float) -> None:
    ended = child("run", MINI, "--json", folder=tmp_path, kill=Kill(count=0, later=later, number=signal.SIGINT))
    runs = list((tmp_path / "runs").iterdir())
    assert ended.code == 130, ended.said
    assert [str(Path(event["dir"])) for event in ended.events] == [str(run) for run in runs]
    assert ended.said.count("interrupted; go on with: evolvent resume ") == len(runs)


@pytest.mark.slow
def test_a_session_that_fails_is_reported_with_its_reason(evolvent: Cli, tmp_path: Path) -> None:
    ended = child("run", MINI, "--json", folder=tmp_path, environment={"EVOLVENT_CACHE": "/dev/null/cache"})
    launch, done = ended.events
    assert (ended.code, done["event"], done["status"]) == (1, "done", "failed")
    assert "Not a directory" in done["reason"]
    assert "Not a directory" in (Path(launch["dir"]) / "report.html").read_text()
    assert "failed   [Errno 20] Not a directory" in evolvent("runs", "show", launch["dir"]).out


@pytest.mark.slow
def test_a_session_whose_reader_goes_away_can_be_resumed(folder: Path, finished: Ended) -> None:
    before = sorted((folder / "runs").iterdir())
    variables = {**os.environ, "EVOLVENT_CACHE": str(folder / "cache")}
    with subprocess.Popen(
        [COMMAND, "run", MINI, "--json"], cwd=folder, env=variables, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout
        process.stdout.readline()
        process.stdout.close()
        assert process.wait() == 1
    run = newest(folder, before)
    assert run
    last = child("resume", run, "--json", folder=folder)
    assert (last.code, last.events[-1]["dataset_hash"]) == (0, finished.events[-1]["dataset_hash"])


@pytest.mark.slow
def test_a_terminal_without_colour_gets_none(folder: Path, finished: Ended) -> None:
    ours, theirs = os.openpty()
    variables = {**os.environ, "EVOLVENT_CACHE": str(folder / "cache"), "NO_COLOR": "1", "TERM": "xterm-256color"}
    variables[crash.VARIABLE] = "effect.after_commit:4"
    process = subprocess.Popen(
        [COMMAND, "run", MINI], cwd=folder, env=variables, stdout=subprocess.DEVNULL, stderr=theirs
    )
    os.close(theirs)
    said = b""
    while part := read(ours):
        said += part
    assert process.wait() == -9
    assert b"baseline" in said
    assert b"\x1b[3" not in said


def read(handle: int) -> bytes:
    """Read from a terminal until its other side is closed."""
    try:
        return os.read(handle, 65536)
    except OSError:
        return b""


@pytest.mark.slow
def test_a_killed_session_is_reported_as_it_stands(folder: Path, evolvent: Cli) -> None:
    before = sorted((folder / "runs").iterdir())
    child("run", MINI, folder=folder, kill=Kill("effect.after_publish", 2))
    run = newest(folder, before)
    assert run
    kept = look(run)
    said: Json = json.loads(evolvent("report", run, "--json").out)
    assert said["status"] != "finished"
    assert (run / "report.html").stat().st_size > 1000
    assert look(run) == kept
    assert files.verify(run / "rounds" / "001")
