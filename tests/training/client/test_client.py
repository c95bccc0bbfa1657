from collections.abc import Iterator
from pathlib import Path

import pytest

from evolvent.memory.budget import Budget
from evolvent.memory.errors import BudgetError, UnavailableError
from evolvent.memory.inference import Request
from evolvent.memory.stopping import STOP
from evolvent.training.client.breaker import Breaker

from ...endpoint import Endpoint, serving
from .asking import DEADLINE, KEY, SCHEMA, Asked, make_requests

BUSY = ("429", "429 after 0.3", "429 after nonsense", "429 after nothing")
BROKEN = (
    "500", "reset", "hang", "drip", "truncated", "html",
    "error with 200", "no choices", "duplicate chunks", "deep", "half a character",
    "tool calls of a kind", "countless",
)  # fmt: skip


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with serving(Endpoint()) as served:
        yield served


@pytest.mark.parametrize("fault", BUSY + BROKEN)
def test_a_call_that_comes_to_nothing_is_made_again(fault: str, endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.faults = [fault]
    asked = Asked(endpoint, make_requests(1), tmp_path)
    assert asked.error is None
    assert asked.texts == ["1"]
    assert (len(endpoint.bodies), asked.stored) == (2, 1)
    assert asked.seconds < DEADLINE + 1


@pytest.mark.parametrize("fault", BROKEN)
def test_an_item_that_never_succeeds_is_given_up_with_its_reason(
    fault: str, endpoint: Endpoint, tmp_path: Path
) -> None:
    endpoint.always = fault
    asked = Asked(endpoint, make_requests(1), tmp_path, tries=2)
    assert asked.texts == [None]
    assert "2 tries" in asked.reasons
    assert (len(endpoint.bodies), asked.stored) == (2, 0)
    assert asked.seconds < 2 * DEADLINE + 1


@pytest.mark.parametrize("fault", ["hang", "drip"])
def test_no_call_outlives_its_deadline_and_the_others_go_on(fault: str, endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.faults = [fault] * 3
    asked = Asked(endpoint, make_requests(20), tmp_path, tries=1)
    assert sum(text is None for text in asked.texts) == 3
    assert asked.seconds < DEADLINE + 1


@pytest.mark.parametrize("fault", ["400", "10 MB", "10 MB unannounced", "redirect", "two choices"])
def test_a_call_that_can_never_succeed_is_not_repeated(fault: str, endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.faults = [fault]
    asked = Asked(endpoint, make_requests(3), tmp_path, most=1)
    assert asked.texts == [None, "2", "3"]
    assert (len(endpoint.bodies), asked.stored) == (3, 2)


@pytest.mark.parametrize(
    ("fault", "said"), [("401", "401"), ("429 after an hour", "3600"), ("another model", "impostor")]
)
def test_what_only_a_person_can_mend_ends_the_session(
    fault: str, said: str, endpoint: Endpoint, tmp_path: Path
) -> None:
    endpoint.faults = ["", fault]
    asked = Asked(endpoint, make_requests(9), tmp_path, most=1)
    assert isinstance(asked.error, UnavailableError)
    assert said in str(asked.error)
    assert (len(endpoint.bodies), asked.stored) == (2, 1)


def test_a_resumed_session_pays_for_nothing_twice(endpoint: Endpoint, tmp_path: Path) -> None:
    first = Asked(endpoint, make_requests(6), tmp_path)
    again = Asked(endpoint, make_requests(9), tmp_path)
    assert len(endpoint.bodies) == 9
    assert again.completions[:6] == first.completions
    assert [c is not None and c.cached for c in again.completions] == [True] * 6 + [False] * 3
    assert again.purse.roles["teacher"].calls == 9


def test_equal_requests_at_once_are_paid_once(endpoint: Endpoint, tmp_path: Path) -> None:
    asked = Asked(endpoint, [Request("1+2")] * 8, tmp_path)
    assert asked.texts == ["3"] * 8
    assert (len(endpoint.bodies), asked.purse.roles["teacher"].calls) == (1, 1)
    assert sorted(c is not None and c.cached for c in asked.completions) == [False] + [True] * 7


@pytest.mark.parametrize(("fault", "reason"), [("400", "400"), ("401", "401"), ("10 MB", "longer")])
def test_what_becomes_of_equal_requests_is_the_same(
    fault: str, reason: str, endpoint: Endpoint, tmp_path: Path
) -> None:
    endpoint.always = fault
    asked = Asked(endpoint, [Request("1+2")] * 8, tmp_path)
    assert len(endpoint.bodies) == 1
    assert reason in (str(asked.error) if fault == "401" else asked.outcomes[-1].reason)


def test_a_budget_ends_the_session_before_the_next_call(endpoint: Endpoint, tmp_path: Path) -> None:
    asked = Asked(endpoint, make_requests(9), tmp_path, budget=Budget(tokens=100), most=1)
    assert isinstance(asked.error, BudgetError)
    assert asked.stored == len(endpoint.bodies) == 3
    assert asked.purse.roles["teacher"].usd == pytest.approx((3 * 36 + 2 * 3) / 1e6)
    assert Asked(endpoint, make_requests(9), tmp_path).texts[-1] == "9"


@pytest.mark.parametrize("fault", ["half a character", "no choices", "tool calls of a kind", "two choices"])
def test_a_reply_that_is_thrown_away_is_paid_all_the_same(fault: str, endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.always = fault
    asked = Asked(endpoint, make_requests(9), tmp_path, budget=Budget(tokens=100), most=1)
    assert isinstance(asked.error, BudgetError)
    assert asked.purse.roles["teacher"].calls == len(endpoint.bodies) == 3


def test_a_reply_of_another_model_is_paid_all_the_same(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.faults = ["", "another model"]
    asked = Asked(endpoint, make_requests(2), tmp_path, most=1)
    assert isinstance(asked.error, UnavailableError)
    assert asked.purse.roles["teacher"].calls == 2


def test_calls_under_way_when_a_budget_ends_are_kept(endpoint: Endpoint, tmp_path: Path) -> None:
    asked = Asked(endpoint, make_requests(40), tmp_path, budget=Budget(tokens=300), most=8)
    assert isinstance(asked.error, BudgetError)
    assert asked.stored == len(endpoint.bodies) < 40


def test_an_answer_of_another_form_gets_one_more_turn(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.faults = ["prose"]
    asked = Asked(endpoint, [Request("which?", schema=SCHEMA)], tmp_path)
    assert asked.texts == ['{"colour": "a"}']
    assert [turn["role"] for turn in endpoint.bodies[1]["messages"]] == ["user", "assistant", "user"]
    assert "not JSON" in endpoint.bodies[1]["messages"][2]["content"]


def test_an_answer_that_no_repair_mends_is_given_up(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.always = "wrong schema"
    asked = Asked(endpoint, [Request("which?", schema=SCHEMA)], tmp_path)
    assert asked.texts == [None]
    assert "$.colour" in asked.reasons
    assert len(endpoint.bodies) == 2


def test_a_busy_server_is_asked_less(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.faults = ["429"] * 8
    asked = Asked(endpoint, make_requests(30), tmp_path, most=8)
    assert None not in asked.texts
    assert asked.limiter.limit < 8


@pytest.mark.slow
def test_a_server_with_a_rate_limit_loses_no_item(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.faults = ["429"] * 40
    asked = Asked(endpoint, make_requests(30), tmp_path, tries=1, most=8)
    assert None not in asked.texts
    assert len(endpoint.bodies) == 70


def test_a_server_that_refuses_everybody_for_too_long_ends_the_session(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.always = "429 after nothing"
    asked = Asked(endpoint, make_requests(30), tmp_path, patience=0.2)
    assert isinstance(asked.error, UnavailableError)
    assert "429 too many requests" in str(asked.error)
    assert "for 0.2 s" in str(asked.error)
    assert len(endpoint.bodies) < 60


@pytest.mark.parametrize("fault", ["400", "429"])
def test_a_server_that_answers_at_all_is_left_alone_no_longer(fault: str, endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.faults = ["500", "500", fault]
    breaker = Breaker(failures=2, rest=0.01, longest=30.0)
    asked = Asked(endpoint, make_requests(6), tmp_path, most=1, breaker=breaker)
    assert sum(text is None for text in asked.texts) == (fault == "400")
    assert asked.seconds < 2


def test_a_server_that_is_gone_ends_the_session(tmp_path: Path) -> None:
    with serving(Endpoint()) as endpoint:
        pass
    asked = Asked(endpoint, make_requests(50), tmp_path, breaker=Breaker(failures=4, rest=0.02, openings=3))
    assert isinstance(asked.error, UnavailableError)
    assert "did not come back" in str(asked.error)
    assert asked.stored == 0


def test_an_outage_costs_no_item_while_the_breaker_is_open(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.faults = ["500"] * 10
    asked = Asked(endpoint, make_requests(30), tmp_path, tries=4, breaker=Breaker(failures=4, rest=0.01))
    assert None not in asked.texts


def test_the_key_is_sent_and_written_nowhere(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.faults = ["400", "401"]
    asked = Asked(endpoint, [Request(f"say {KEY}"), Request("b"), Request("c")], tmp_path, most=1)
    assert endpoint.headers[0]["Authorization"] == f"Bearer {KEY}"
    assert "refused" in asked.reasons
    assert "***" in f"{asked.error}"
    assert KEY not in asked.reasons + str(asked.error)
    Asked(endpoint, [Request(f"say {KEY}")], tmp_path)
    assert not [p.name for p in tmp_path.iterdir() if KEY.encode() in p.read_bytes()]


def test_a_request_to_stop_ends_the_stream(endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(STOP, "code", 143)
    with pytest.raises(BaseException, match="asked to stop"):
        Asked(endpoint, make_requests(3), tmp_path)
    assert endpoint.bodies == []
