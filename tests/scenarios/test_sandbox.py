"""What the sandbox says of answers, and what is left of it afterwards."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from evolvent.memory.records import Task
from evolvent.scenarios.sandbox.sandbox import Job, Sandbox, SandboxError

from .boxes import WAYS, survivors, walls
from .builders import make_task, make_verifier
from .probes import CHEATS

PROMPT = 'import math\n\ndef near(x):\n    return round(x)\n\ndef root(x):\n    """Give the square root of x."""\n'
BODY = "    return math.sqrt(x)"
TESTS = "def check(candidate):\n    assert near(candidate(4)) == 2\n    assert candidate(9) == 3\n"
MASKED = """
import os, sys
from evolvent.scenarios.sandbox import filter, kernel
kernel.libc("prctl", kernel.SET_NO_NEW_PRIVS, 1, 0, 0, 0)
unshare, landlock = {"x86_64": 272, "aarch64": 97}[os.uname().machine], 444
no = (filter.RETURN, 0, 0, filter.REFUSE | 38)
filter.load([
    (filter.LOAD, 0, 0, filter.NUMBER), (filter.EQUAL, 0, 1, unshare), no, (filter.EQUAL, 0, 1, landlock), no,
    (filter.RETURN, 0, 0, filter.ALLOW),
])
at = sys.argv.index("-I")
os.execv(sys.argv[at - 1], sys.argv[at - 1:])
"""
"""A kernel without namespaces and Landlock: a program that starts another where both are refused."""


def job(answer: str, *, prompt: str = PROMPT, reference: str = BODY, tests: str = TESTS) -> Job:
    return Job(prompt=prompt, answer=answer, reference=reference, tests=tests)


@pytest.fixture(params=WAYS)
def box(request: pytest.FixtureRequest) -> Sandbox:
    return walls(request.param)


def test_an_outcome_names_the_tier_that_held(box: Sandbox) -> None:
    outcome = box.run(job(BODY))
    assert (outcome.status, outcome.tier, outcome.reason) == ("passed", box.tier, "2 calls")


@pytest.mark.parametrize(
    "answer",
    [
        BODY,
        "return math.sqrt(x)",
        "def root(x):\n    return x ** 0.5",
        "Here you are:\n```python\nimport math\ndef root(x):\n    return math.sqrt(x)\n```\nIt takes the root.",
        "```\ndef root(x):\n    return math.sqrt(x)",
        "y = x\n    return math.sqrt(y)",
    ],
)
def test_an_answer_goes_on_from_the_prompt_or_writes_it_again(answer: str) -> None:
    outcome = Sandbox().run(job(answer))
    assert outcome.status == "passed", outcome.reason


@pytest.mark.parametrize("prompt", ["def root(x):", "def root(x):  # of x\n", "root", "Write root(x).", "import math"])
def test_a_prompt_may_begin_a_function_without_words_or_be_only_words(prompt: str) -> None:
    full = "import math\ndef root(x):\n    return math.sqrt(x)"
    tests = "assert root(9) == 3"
    assert Sandbox().run(job(full, prompt=prompt, reference=full, tests=tests)).status == "passed"
    assert Sandbox().run(job("", prompt=prompt, reference=full, tests=tests)).status == "failed"
    if prompt.startswith("def"):
        assert Sandbox().run(job("return x ** 0.5", prompt=prompt, reference=full, tests=tests)).status == "passed"


def test_a_wrong_answer_is_told_where_the_tests_stopped() -> None:
    outcome = Sandbox().run(job("    return x"))
    assert outcome.status == "failed"
    assert "line 2 of the tests, 'assert near(candidate(4)) == 2'" in outcome.reason


def test_an_answer_cannot_put_a_helper_of_its_own_in_the_place_of_the_prompts() -> None:
    cheat = f"{PROMPT}    return x\ndef near(x):\n    return 2\n"
    assert Sandbox().run(job(cheat, tests="assert near(root(4)) == 2")).status == "failed"


def test_plain_values_cross_as_what_they_are() -> None:
    values = [None, True, 2**70, -1.5, float("inf"), "é", b"\0", (1, [2]), {"a": {1}}, {(1, 2): 3}, frozenset({1}), 1j]
    tests = (
        f"from math import inf\nfor value in {values!r}:\n    assert same(value) == value\n"
        "    assert type(same(value)) is type(value)"
    )
    outcome = Sandbox().run(job("", prompt="", reference="def same(x): return x", tests=tests))
    assert outcome.status == "failed"
    answer = "def same(x): return x"
    outcome = Sandbox().run(job(answer, prompt="", reference=answer, tests=tests))
    assert outcome.status == "passed", outcome.reason


def test_an_object_of_the_answers_own_does_not_cross() -> None:
    outcome = Sandbox().run(job("class Any:\n    pass\ndef root(x):\n    return Any()"))
    assert "a value of type 'Any' cannot leave the sandbox" in outcome.reason


def test_an_exception_of_an_answer_is_raised_in_its_tests() -> None:
    answer = "def strict(x):\n    raise ValueError('no')"
    tests = (
        "try:\n    strict(1)\nexcept ValueError as error:\n    assert str(error) == 'no'\nelse:\n    raise Exception"
    )
    assert Sandbox().run(job(answer, prompt="", reference=answer, tests=tests)).status == "passed"


@pytest.mark.parametrize(
    ("tests", "why"),
    [
        ("assert (", "SyntaxError"),
        ("assert True", "the tests never call the answer"),
    ],
)
def test_tests_that_cannot_decide_are_broken_and_no_answer_is_wrong(tests: str, why: str) -> None:
    outcome = Sandbox().run(job(BODY, tests=tests))
    assert outcome.status == "broken"
    assert why in outcome.reason


def test_what_an_answer_prints_is_kept_up_to_a_bound() -> None:
    outcome = Sandbox(output=10).run(job("    print('x' * 100000)\n    return math.sqrt(x)"))
    assert (outcome.status, outcome.printed) == ("passed", "x" * 10)


def test_an_answer_has_a_folder_to_write_in_tier_namespaces_alone() -> None:
    answer = "def kept(x):\n    open('a', 'w').write(x)\n    return open('a').read()"
    note = Job(prompt="", answer=answer, reference=answer, tests="assert kept('note') == 'note'")
    assert walls("namespaces").run(note).status == "passed"
    assert walls("landlock").run(note).status == "failed"


def test_threads_may_be_started() -> None:
    answer = (
        "from concurrent.futures import ThreadPoolExecutor\ndef doubled(xs):\n    with ThreadPoolExecutor(4) as pool:\n"
        "        return list(pool.map(lambda x: 2 * x, xs))"
    )
    assert (
        Sandbox().run(job(answer, prompt="", reference=answer, tests="assert doubled([1, 2]) == [2, 4]")).status
        == "passed"
    )


def test_without_walls_nothing_runs_and_it_is_said_why(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    answer = f"open({str(mark)!r}, 'w')\ndef root(x): return x"
    bare = (sys.executable, "-c", MASKED, sys.executable)
    with pytest.raises(SandboxError, match=r"no sandbox holds .* no code is run \(namespaces: .*; landlock: .*\)"):
        Sandbox(python=bare).run(job(answer))
    assert not mark.exists()


@pytest.mark.parametrize("python", [("/nowhere/python",), ("false",), ("echo", "hello")])
def test_an_interpreter_that_is_none_is_no_wrong_answer(python: tuple[str, ...]) -> None:
    with pytest.raises(SandboxError, match="no code is run"):
        Sandbox(python=python).run(job(BODY))


def test_a_verdict_of_verifier_python_names_the_tier() -> None:
    task = make_task(prompt=PROMPT, answer=BODY).model_copy(update={"checks": TESTS})
    verdict = make_verifier("python").judge(task, BODY)
    assert (verdict.passed, verdict.reason) == (True, "2 calls [sandbox: namespaces]")
    assert "[sandbox: namespaces]" in make_verifier("python").judge(task, "    return x").reason


@pytest.mark.parametrize(("checks", "why"), [("", "set|source.checks"), ("assert (", "tests cannot be run")])
def test_a_task_without_tests_is_a_bug_and_no_wrong_answer(checks: str, why: str) -> None:
    task = make_task(prompt=PROMPT, answer=BODY).model_copy(update={"checks": checks})
    with pytest.raises(ValueError, match=f"task 'add:5,7': .*({why})"):
        make_verifier("python").judge(task, BODY)


LONG = (
    "from evolvent.scenarios.sandbox.sandbox import Job, Sandbox\n"
    "print('started', flush=True)\n"
    "Sandbox(tier={tier!r}, python={python!r}, seconds=60).run("
    "Job('', 'import time\\ndef f(): time.sleep(60)', 'def f(): pass', 'f()'))"
)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_when_the_program_is_killed_nothing_inside_lives_on(box: Sandbox, number: int) -> None:
    script = LONG.format(tier=box.tier, python=box.python)
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == b"started\n"
        _until(lambda: len(survivors(program.pid)) == 3)
        program.send_signal(number)
    _until(lambda: survivors(program.pid) == [])


@pytest.mark.slow
def test_when_the_process_inside_is_killed_the_answer_failed_and_nothing_lives_on(box: Sandbox) -> None:
    stuck = Job(prompt="", answer="while True: pass", reference="def f(): pass", tests="f()")
    with ThreadPoolExecutor(1) as pool:
        outcome = pool.submit(box.model_copy(update={"seconds": 60}).run, stuck)
        _until(lambda: any(_worked(number) > 50 for number in survivors()))
        os.kill(min(map(int, survivors())), signal.SIGKILL)
        assert outcome.result(timeout=30).status == "failed"
    _until(lambda: survivors() == [])


def _worked(number: str) -> int:
    """CPU time of a process, in hundredths of a second; more than its start takes once it runs an answer."""
    return int(Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[11])


def _until(met: object) -> None:
    assert callable(met)
    until = time.monotonic() + 30
    while not met():
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.mark.slow
def test_a_thousand_runs_leave_nothing_behind() -> None:
    right, hostile = job(BODY), [*CHEATS.values()]
    folders = (Path("/tmp"), Path("/dev/shm"), Path("/var/tmp"))
    box = Sandbox(seconds=20)

    def run(number: int) -> bool:
        if number % 10:
            return box.run(right).status == "passed"
        cheat = hostile[number // 10 % len(hostile)]
        return (
            box.run(
                job(cheat, prompt="", reference="def double(x): return 2 * x", tests="assert double(5) == 10")
            ).status
            == "failed"
        )

    def state() -> tuple[int, list[str], int, int]:
        mounts = len(Path("/proc/self/mounts").read_text().splitlines())
        own = [str(p) for folder in folders for p in folder.glob("*") if "evolvent" in p.name or "sandbox" in p.name]
        return len(os.listdir("/proc/self/fd")), survivors(), mounts, len(own)

    run(1)
    before = state()
    with ThreadPoolExecutor(4) as pool:
        verdicts = list(pool.map(run, range(1000)))
    assert all(verdicts)
    _until(lambda: survivors() == [])
    assert state() == before


@pytest.mark.slow
@pytest.mark.skipif("EVOLVENT_DATA" not in os.environ, reason="needs the public data: set EVOLVENT_DATA to its folder")
def test_every_reference_of_humaneval_passes_and_no_empty_answer_does() -> None:
    path = Path(os.environ["EVOLVENT_DATA"]) / "humaneval" / "HumanEval.jsonl.gz"
    rows: list[dict[str, str]] = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    verifier = make_verifier("python", sandbox={"seconds": 30})

    def passed(row: dict[str, str], answer: str) -> bool:
        task = Task(
            skill="s", prompt=row["prompt"], answer=row["canonical_solution"], key=row["task_id"], checks=row["test"]
        )
        return verifier.judge(task, answer).passed

    with ThreadPoolExecutor(2) as pool:
        right = pool.map(passed, rows, [row["canonical_solution"].strip() for row in rows])
        assert [row["task_id"] for row, good in zip(rows, right, strict=True) if not good] == []
        empty = pool.map(passed, rows[::8], [""] * len(rows))
        assert [row["task_id"] for row, good in zip(rows[::8], empty, strict=True) if good] == []
