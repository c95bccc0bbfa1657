from random import Random

import pytest

from evolvent.training.client.fault import Fault
from evolvent.training.client.patience import Patience

BUSY = Fault("429 too many requests", remedy="retry", busy=True)
BROKEN = Fault("500 internal server error", remedy="retry")


def make_patience(tries: int = 3, busy: float = 60.0) -> Patience:
    return Patience(tries=tries, pause=1.0, busy=busy, rng=Random(0))


def test_a_busy_server_costs_no_try() -> None:
    patience = make_patience()
    assert [patience.bear(BUSY, now=float(i), answered=0.0) for i in range(50)] == [0.0] * 50
    assert patience.bear(BROKEN, now=50.0, answered=0.0) > 0


def test_tries_are_further_and_further_apart_until_they_are_used_up() -> None:
    patience = make_patience()
    pauses = [patience.bear(BROKEN, now=0.0, answered=0.0) for _ in range(2)]
    assert 0.5 <= pauses[0] <= 1.0 <= pauses[1] <= 2.0
    with pytest.raises(Fault, match="500 internal server error; 3 tries") as caught:
        patience.bear(BROKEN, now=0.0, answered=0.0)
    assert caught.value.remedy == "fail"


@pytest.mark.parametrize(("answered", "remedy"), [(50.0, "fail"), (9.0, "stop")])
def test_an_item_refused_for_too_long_is_given_up_and_ends_everything_where_no_other_was_answered(
    answered: float, remedy: str
) -> None:
    patience = make_patience(busy=60.0)
    patience.bear(BUSY, now=10.0, answered=answered)
    with pytest.raises(Fault, match="429 too many requests; for 60 s") as caught:
        patience.bear(BUSY, now=70.0, answered=answered)
    assert caught.value.remedy == remedy


def test_what_no_other_call_mends_is_handed_on() -> None:
    with pytest.raises(Fault, match="400"):
        make_patience().bear(Fault("400 bad request", remedy="fail"), now=0.0, answered=0.0)
