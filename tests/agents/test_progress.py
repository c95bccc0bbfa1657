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


def test_how_many_samples_the_student_solved_before_it_was_trained_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    Progress(1).on("train", {"round": 1, **TRAINED, "solved": 40})
    assert "90 samples (40 solved before), 11 steps" in capsys.readouterr().err
