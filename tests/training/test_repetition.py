import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolvent.training.repetition import DECAY, ENOUGH, FRESH, foresee


def test_data_that_is_seen_once_is_worth_itself() -> None:
    assert foresee(1000, 10**6, 1.0) == (1.0, 0.001, 1.0, "")
    assert foresee(1000, 10**6, 0.5).worth == 0.5


def test_four_passes_are_worth_nearly_as_much_as_fresh_data_and_forty_do_not() -> None:
    assert foresee(1, 1, 4.0).worth > 0.9 * 4
    assert foresee(1, 1, 40.0).worth < 0.4 * 40


@pytest.mark.parametrize(
    ("tokens", "passes", "alarming"), [(10**5, 10.0, True), (10**5, FRESH, False), (int(ENOUGH) * 10**5, 10.0, False)]
)
def test_only_few_tokens_repeated_often_are_alarming(tokens: int, passes: float, alarming: bool) -> None:
    assert bool(foresee(tokens, 10**5, passes).alarm) is alarming


def test_the_alarm_says_the_figures_and_what_to_do() -> None:
    said = foresee(100_000, 345_000, 10.0).alarm
    assert "100,000 distinct tokens are repeated 10 times for 345,000 weights" in said
    assert "trainer.dropout" in said


@given(st.floats(0.01, 1000), st.floats(1.01, 10))
def test_more_passes_are_worth_more_but_never_more_than_fresh_ones(passes: float, factor: float) -> None:
    once, more = foresee(1, 1, passes).worth, foresee(1, 1, passes * factor).worth
    assert once <= more <= min(passes * factor, 1 + DECAY)
