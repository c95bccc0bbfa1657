from evolvent.training.client.breaker import Breaker


def make_open(failures: int = 3) -> Breaker:
    breaker = Breaker(failures=failures, rest=1.0, longest=30.0, openings=3)
    for _ in range(failures):
        breaker.failed(0.0, opened=0)
    return breaker


def test_it_opens_after_failures_in_a_row_only() -> None:
    breaker = Breaker(failures=2)
    breaker.failed(0.0, opened=0)
    breaker.succeeded()
    breaker.failed(0.0, opened=0)
    assert breaker.wait(0.0) == 0
    breaker.failed(0.0, opened=0)
    assert breaker.wait(0.0) > 0


def test_one_caller_tries_when_the_rest_is_over_and_the_others_wait() -> None:
    breaker = make_open()
    assert [breaker.wait(1.0) > 0 for _ in range(3)] == [False, True, True]


def test_a_try_that_succeeds_closes_it_and_one_that_fails_doubles_the_rest() -> None:
    breaker = make_open()
    assert breaker.wait(1.0) == 0
    breaker.failed(1.0, opened=1)
    assert (breaker.wait(2.5) > 0, breaker.wait(3.0)) == (True, 0)
    breaker.succeeded()
    assert [breaker.wait(3.0) for _ in range(3)] == [0, 0, 0]


def test_calls_from_before_it_opened_do_not_open_it_again() -> None:
    breaker = make_open()
    for _ in range(100):
        breaker.failed(0.5, opened=0)
    assert (breaker.opened, breaker.gone) == (1, False)


def test_a_server_that_fails_every_try_is_gone() -> None:
    breaker = make_open()
    for opened in (1, 2):
        breaker.failed(50.0, opened=opened)
    assert breaker.gone
