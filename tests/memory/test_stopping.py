import signal
from collections.abc import Generator

import pytest
from evolvent.memory.stopping import Stop


@pytest.fixture
def stop() -> Generator[Stop]:
    before, one = signal.getsignal(signal.SIGTERM), Stop()
    signal.signal(signal.SIGTERM, one)
    yield one
    signal.signal(signal.SIGTERM, before)


def test_a_signal_stops_at_once_and_the_second_kills(stop: Stop) -> None:
    with pytest.raises(SystemExit) as end:
        signal.raise_signal(signal.SIGTERM)
    assert end.value.code == 143
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_stop_that_was_swallowed_is_heeded_at_the_next_step(stop: Stop) -> None:
    stop.heed()
    with pytest.raises(SystemExit):
        signal.raise_signal(signal.SIGTERM)
    with pytest.raises(SystemExit) as end:
        stop.heed()
    assert end.value.code == 143
