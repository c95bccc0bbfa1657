"""Sessions that only probe."""

import json
from pathlib import Path

import pytest

from evolvent.agents import graph, planning
from evolvent.memory.ledger import Ledger
from evolvent.memory.records import Attempt, Exam

from ..endpoint import MODEL, Endpoint, serving
from ..killing import MINI, Ended, Kill, figures, look, newest, runs
from ..killing import session as child


def test_a_probe_has_a_graph_of_its_own_and_its_plan_teaches_nothing() -> None:
    plan = planning.plan(MINI, [], seed=0, limit=None, allow_import=False, probe=True)
    assert plan.session().only_probes
    assert plan.session().graph == graph.fingerprint(probe=True) != graph.fingerprint()
    assert (plan.estimate.rounds, plan.estimate.samples) == (0, 0)
    assert "it is taught nothing" in "\n".join(plan.lines())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("probed")


@pytest.fixture(scope="module")
def probed(folder: Path) -> Ended:
    return child("probe", MINI, "--json", "--on-end", f"cp {MINI} {folder}/told", folder=folder)


@pytest.mark.slow
def test_a_probe_looks_once_and_trains_and_opens_nothing(folder: Path, probed: Ended) -> None:
    assert probed.code == 0, probed.said
    launch, done = probed.events
    run = Path(launch["dir"])
    kept = look(run)
    steps = [name for name, *_ in kept.effects.values()]
    exams = [json.loads(body) for key, body in kept.records.items() if key.startswith("exam ")]
    assert steps == ["student", "baseline", "probe", "diagnose"]
    assert {exam["split"] for exam in exams} == {"select", "guard"}
    assert (done["status"], done["rounds"], done["report"], kept.sealed) == ("finished", 0, None, {})
    assert (folder / "told").exists()


@pytest.mark.slow
def test_a_probe_ends_with_what_is_weak_and_the_command_that_would_teach_it(probed: Ended) -> None:
    done = probed.events[-1]
    page = (Path(done["dir"]) / "report.html").read_text()
    (cell,) = done["heat"]["skills"]["add-carry"]
    assert cell["low"] <= cell["rate"] <= cell["high"]
    assert {"skill", "hypothesis", "foreseen", "seen", "failures_shown"} <= done["weaknesses"][0].keys()
    assert done["probe"] == {"next": f"evolvent run {MINI} --seed 0", "teachable": True}
    assert f"evolvent run {MINI}" in page
    assert 'id="decisions"' not in page


@pytest.mark.slow
def test_a_probe_that_was_killed_goes_on_to_the_same(folder: Path, probed: Ended) -> None:
    before = runs(folder)
    child("probe", MINI, folder=folder, kill=Kill("effect.before_commit", 4))
    run = newest(folder, before)
    assert run
    last = child("resume", run, "--json", folder=folder)
    assert figures(run, last.events[-1]) == figures(Path(probed.events[-1]["dir"]), probed.events[-1])


@pytest.mark.slow
def test_a_student_behind_an_endpoint_is_probed_without_making_another_one(tmp_path: Path) -> None:
    with serving(Endpoint()) as served:
        settings = {"name": "openai", "base_url": served.url, "model": MODEL}
        options = [f"--set=student.engine.{key}={value}" for key, value in settings.items()]
        ended = child("probe", MINI, *options, "--on-end", "false", folder=tmp_path)
    run = newest(tmp_path, [])
    assert run
    assert ended.code == 0, ended.said
    assert "warning: --on-end 'false' ended with exit code 1" in ended.said
    assert not (run / "base").exists()
    done = json.loads((run / "report.json").read_text())
    assert (done["probe"]["teachable"], {w["skill"] for w in done["weaknesses"]}) == (False, {"add-carry", "coin"})
    ledger = Ledger(run / "ledger.sqlite", read_only=True)
    students = {a.student for a in ledger.read(Attempt)} | {e.student for e in ledger.read(Exam)}
    ledger.close()
    assert len(students) == 1
