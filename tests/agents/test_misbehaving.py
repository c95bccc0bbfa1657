"""Whole sessions whose teacher is behind an endpoint that misbehaves, now and then or from some call on."""

import hashlib
import json
import re
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from evolvent.agents import planning, session
from evolvent.memory.account import ANSWERS
from evolvent.memory.errors import UnavailableError
from evolvent.memory.files import canonical
from evolvent.memory.responses import paid

from ..endpoint import MODEL, serving
from ..killing import Json, figures, runs
from ..teaching import Teaching

pytestmark = pytest.mark.slow

TAUGHT = Path(__file__).parent.with_name("taught.toml")
DEADLINE = 1.0
"""Seconds a call may take; whoever waits for it is told within one second more."""
SHARE = 0.2
"""Share of the questions that meet trouble the first time they are put."""
HEALTHY = 16
"""Calls before trouble that stays: the greetings, and some of the teacher's."""
PASSES = (
    "429", "429 after 0.3", "500", "reset", "drip", "hang", "truncated", "html", "no choices", "duplicate chunks",
)  # fmt: skip
"""Trouble after which the same call may succeed."""
GREETINGS = ("Say one word.", "What is the weather like?")
"""What is asked again whenever an endpoint has to prove itself."""
ENDS = ("400", "10 MB", "10 MB unannounced", "two choices", "another model")
"""Trouble after which the same call is not made again."""


class Troubled(Teaching):
    """A teacher whose endpoint misbehaves."""

    def behave(self) -> None:
        """Begin anew, without trouble."""
        self.mend()
        self.bodies.clear()
        self.put = Counter[str]()
        """How often each question was put."""
        self.met = 0
        """Calls that met trouble."""
        self.longest = 0.0

    def mend(self) -> None:
        """Have no more trouble."""
        self.sometimes = ""
        """What a share of the questions meets the first time."""
        self.later = ""
        """What every call meets after so many healthy ones."""
        self.becomes = ""
        """Model it serves after as many."""
        self.model = MODEL

    def trouble(self, body: dict[str, Any]) -> str:
        question = hashlib.sha256(canonical(body).encode()).hexdigest()
        self.put[question] += 1
        late = len(self.bodies) > HEALTHY
        self.model = self.becomes if late and self.becomes else self.model
        first = self.put[question] == 1 and int(question[:8], 16) < SHARE * 2**32
        fault = self.later if late and self.later else self.sometimes if first else ""
        # a form is asked for where there is a schema, and what is asked once more after another form is answered
        again = not self.later and any(turn["role"] == "assistant" for turn in body["messages"])
        if fault == "wrong schema" and ("response_format" not in body or again):
            return ""
        self.met += bool(fault)
        return fault


@pytest.fixture(scope="module")
def served() -> Iterator[Troubled]:
    with serving(Troubled()) as endpoint:
        assert isinstance(endpoint, Troubled)
        yield endpoint


@pytest.fixture
def endpoint(served: Troubled) -> Troubled:
    served.behave()
    return served


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    made = tmp_path_factory.mktemp("misbehaving")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVOLVENT_CACHE", str(made / "cache"))
        yield made


@pytest.fixture(scope="module")
def whole(served: Troubled, folder: Path) -> tuple[Path, Json]:
    """A session that met no trouble."""
    served.behave()
    done = begin(served, folder)
    return Path(done["dir"]), done


def begin(endpoint: Troubled, folder: Path) -> Json:
    part = {
        "name": "openai", "base_url": endpoint.url, "model": MODEL, "deadline": DEADLINE, "tries": 3, "patience": 1,
        "answer_price": 2,
    }  # fmt: skip
    models = [f"models.{role}.{name}={value}" for role in ("teacher", "judge") for name, value in part.items()]
    short = ["rounds.most=1", "rounds.samples=60", "control=false"]
    plan = planning.plan(TAUGHT, [*models, *short], seed=0, limit=None, allow_import=False)
    return session.start(plan, folder / "runs", since=time.perf_counter(), json_lines=False)


def go_on(run: Path) -> Json:
    return session.resume(run, since=time.perf_counter(), json_lines=False, allow_import=False)


def stopped(endpoint: Troubled, folder: Path) -> Path:
    """A session that trouble has ended, with a word for whoever has to mend it."""
    with pytest.raises(UnavailableError, match="mend that, then `evolvent resume` goes on"):
        begin(endpoint, folder)
    run = runs(folder)[-1]
    assert json.loads((run / "session.json").read_text())["status"] == "failed"
    return run


def stored(run: Path) -> dict[str, str]:
    """Answers that were paid for, by the hash of what was asked."""
    with closing(sqlite3.connect(f"{(run / ANSWERS).as_uri()}?mode=ro", uri=True)) as database:
        rows = database.execute("select key, body from responses").fetchall()
    # the names of tool calls are random, as a real server's are
    return {key: re.sub(r"chatcmpl-\d+", "", body) for key, body in rows}


def assert_as_if_nothing_had_happened(run: Path, done: Json, whole: tuple[Path, Json]) -> None:
    assert figures(run, done) == figures(*whole)
    assert stored(run) == stored(whole[0])
    assert paid(run / ANSWERS) == paid(whole[0] / ANSWERS)


@pytest.mark.parametrize("fault", PASSES)
def test_trouble_that_passes_costs_time_and_if_it_stays_ends_a_session_until_it_is_mended(
    fault: str, endpoint: Troubled, folder: Path, whole: tuple[Path, Json]
) -> None:
    endpoint.sometimes = endpoint.later = fault
    run = stopped(endpoint, folder)
    endpoint.later = ""
    done = go_on(run)
    assert endpoint.met > len(endpoint.put) * SHARE / 2
    assert endpoint.longest < DEADLINE + 1
    assert_as_if_nothing_had_happened(run, done, whole)


@pytest.mark.parametrize("fault", ENDS)
def test_trouble_of_every_request_ends_a_session_until_it_is_mended(
    fault: str, endpoint: Troubled, folder: Path, whole: tuple[Path, Json]
) -> None:
    endpoint.later = fault
    run = stopped(endpoint, folder)
    endpoint.mend()
    assert_as_if_nothing_had_happened(run, go_on(run), whole)


def test_a_list_of_models_that_changes_ends_a_session_until_it_is_as_before(
    endpoint: Troubled, folder: Path, whole: tuple[Path, Json]
) -> None:
    endpoint.becomes = "impostor"
    run = stopped(endpoint, folder)
    with pytest.raises(UnavailableError, match="serves no model 'tester'; it serves: impostor"):
        go_on(run)
    endpoint.mend()
    assert_as_if_nothing_had_happened(run, go_on(run), whole)


def test_an_answer_of_another_form_is_asked_for_once_more_and_both_are_paid(
    endpoint: Troubled, folder: Path, whole: tuple[Path, Json]
) -> None:
    endpoint.sometimes = "wrong schema"
    done = begin(endpoint, folder)
    run = Path(done["dir"])
    assert figures(run, done) == figures(*whole)
    assert stored(whole[0]).keys() < stored(run).keys()
    assert len(stored(run)) == len(stored(whole[0])) + endpoint.met


def test_answers_that_have_no_form_at_all_end_a_session_resumably(endpoint: Troubled, folder: Path) -> None:
    endpoint.later = "wrong schema"
    run = stopped(endpoint, folder)
    before = stored(run)
    endpoint.mend()
    assert go_on(run)["status"] == "finished"
    assert before.items() <= stored(run).items()
    asked = {key: times for key, times in endpoint.put.items() if times > 1}
    assert len(asked) <= len(GREETINGS)
