import pytest

from evolvent.agents.reports.progress import Progress

TRAINED = {"samples": 90, "steps": 11, "loss": 2.5, "seconds": 1.0}


def test_that_data_repeats_is_said_once_a_session(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress(2)
    for round in (1, 2):
        progress.on("train", {"round": round, **TRAINED, "repetition": "900 distinct tokens are repeated 10 times"})
    said = capsys.readouterr().err
    assert said.count("loss 2.500") == 2
    assert said.count("900 distinct tokens are repeated 10 times") == 1
