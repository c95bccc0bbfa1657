import json
import os
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import NamedTuple

import pytest

from evolvent.memory.errors import UnavailableError
from evolvent.memory.finding import Finding

from ..endpoint import MODEL, Endpoint, serving
from ..killing import MINI
from . import calling

QUICK = 5.0
"""Seconds that looking at a machine may take."""
KEY = "sk-very-secret-0815"


class Said(NamedTuple):
    code: int
    levels: dict[str, str]
    """By what a line is about."""
    text: str


Doctor = Callable[..., Said]


@pytest.fixture
def doctor(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Doctor:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EVOLVENT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("EVOLVENT_RUNS_DIR", raising=False)

    def call(*arguments: str | Path) -> Said:
        code = calling.call(monkeypatch, "doctor", *arguments, "--json")
        said = capsys.readouterr()
        found = [json.loads(line) for line in said.out.splitlines()]
        assert [f for f in found if f["level"] != "ok" and not f["remedy"]] == []
        return Said(code, {f["about"]: f["level"] for f in found}, said.out + said.err)

    return call


@pytest.fixture
def endpoint() -> Generator[Endpoint]:
    with serving(Endpoint()) as served:
        yield served


def asking(url: str, *, role: str = "teacher", model: str = MODEL) -> list[str]:
    """Settings that name an endpoint."""
    place = "student.engine" if role == "student" else f"models.{role}"
    told = {"name": "openai", "base_url": url, "model": model, "key": "DOCTOR_KEY"}
    return [word for key, value in told.items() for word in ("--set", f"{place}.{key}={value}")]


def test_a_machine_that_is_fit_is_said_to_be_and_nothing_is_left_behind(doctor: Doctor, tmp_path: Path) -> None:
    since = time.monotonic()
    said = doctor()
    assert time.monotonic() - since < QUICK
    assert said.code == 0
    assert {"python", "packages", "gpu", "vllm", "memory", "runs folder", "cache folder"} == set(said.levels)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_fails(doctor: Doctor, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = doctor("--runs-dir", tmp_path / "file" / "runs")
    assert (said.code, said.levels["runs folder"], said.levels["cache folder"]) == (1, "fail", "ok")
    assert "choose another folder with --runs-dir" in said.text


def test_a_gpu_that_torch_was_not_built_for_is_pointed_out(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    torch = pytest.importorskip("torch")
    if torch.version.cuda or torch.version.hip:
        pytest.skip("torch is built for an accelerator")
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'NVIDIA H100 80GB HBM3, 81559 MiB'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    said = doctor()
    assert (said.code, said.levels["gpu"]) == (0, "warn")
    assert "NVIDIA H100 80GB HBM3, 81559 MiB, but torch is built for the CPU alone" in said.text


@pytest.mark.parametrize("scenario", ["nope.toml", "broken.toml"])
def test_a_scenario_that_is_wrong_is_one_finding_among_the_others(
    doctor: Doctor, tmp_path: Path, scenario: str
) -> None:
    (tmp_path / "broken.toml").write_text('name = "x"\nskills.a = {}\nsource = "arithmetik"\n')
    said = doctor(scenario)
    assert (said.code, said.levels["scenario"], said.levels["python"]) == (1, "fail", "ok")


def test_endpoints_are_asked_and_their_schema_is_put_to_the_test(
    doctor: Doctor, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCTOR_KEY", KEY)
    said = doctor(MINI, *asking(endpoint.url), *asking(endpoint.url, role="judge"))
    assert said.code == 0
    for role in ("teacher", "judge"):
        assert (said.levels[f"endpoint {role}"], said.levels[f"schema {role}"]) == ("ok", "ok")
    assert endpoint.headers[0]["Authorization"] == f"Bearer {KEY}"
    assert KEY not in said.text


def test_a_schema_that_does_not_bind_fails_beside_an_endpoint_that_answers(
    doctor: Doctor, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCTOR_KEY", KEY)
    endpoint.binds = False
    said = doctor(MINI, *asking(endpoint.url))
    assert (said.code, said.levels["endpoint teacher"], said.levels["schema teacher"]) == (1, "ok", "fail")
    assert "use a server with structured outputs" in said.text


def test_a_student_behind_an_endpoint_needs_no_schema(
    doctor: Doctor, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCTOR_KEY", KEY)
    said = doctor(MINI, *asking(endpoint.url, role="student"))
    assert (said.code, said.levels["endpoint student"]) == (0, "ok")
    assert "schema student" not in said.levels


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("401", "401 unauthorized"), ("html", "not JSON"), ("model", "serves no model"), ("key", "holds no key")],
)
def test_an_endpoint_that_cannot_be_used_is_one_failure_without_the_key(
    doctor: Doctor, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, fault: str, reason: str
) -> None:
    if fault != "key":
        monkeypatch.setenv("DOCTOR_KEY", KEY)
    endpoint.always = fault if fault in ("401", "html") else ""
    said = doctor(MINI, *asking(endpoint.url, model="testament" if fault == "model" else MODEL))
    assert (said.code, said.levels["endpoint teacher"]) == (1, "fail")
    assert "schema teacher" not in said.levels
    assert reason in said.text
    assert KEY not in said.text


@pytest.mark.vllm
def test_a_student_that_vllm_cannot_serve_is_told_how_it_could(doctor: Doctor) -> None:
    said = doctor(
        MINI, "--set", "student.engine.name=vllm", "--set", "student.hidden=96", "--set", "student.heads=4",
        "--set", "trainer.lora.rank=32", "--set", "student.engine.rank=16",
    )  # fmt: skip
    assert (said.code, said.levels["LoRA route"]) == (1, "fail")
    assert "set student.engine.rank = 32" in said.text
    if "build cpu" in said.text:
        assert "set student.heads = 3" in said.text


def test_a_finding_shows_no_character_that_a_terminal_obeys() -> None:
    line = Finding.of_error("endpoint", UnavailableError("no\x1b[31m answer; mend\nit")).line()
    assert line == "fail  endpoint              no\\x1b[31m answer; mend it"
