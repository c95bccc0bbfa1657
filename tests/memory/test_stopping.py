import signal
from collections.abc import Generator

import pytest

from evolvent.memory.stopping import Stop, Stopped


@pytest.fixture
def stop() -> Generator[Stop]:
    before, one = signal.getsignal(signal.SIGTERM), Stop()
    signal.signal(signal.SIGTERM, one)
    yield one
    signal.signal(signal.SIGTERM, before)


def test_a_signal_stops_at_once_and_the_second_kills(stop: Stop) -> None:
    stop.heed()
    with pytest.raises(Stopped) as end:
        signal.raise_signal(signal.SIGTERM)
    assert end.value.code == 143
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_signal_in_the_middle_of_a_step_is_kept_until_somebody_heeds_it(stop: Stop) -> None:
    with stop.deferred():
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(Stopped):
            stop.heed()
    with pytest.raises(Stopped):
        stop.heed()


def test_nothing_that_catches_errors_catches_a_stop() -> None:
    assert not issubclass(Stopped, Exception | SystemExit)
