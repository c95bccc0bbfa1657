import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolvent.training.pairing import Paired, pair

scores = st.sampled_from([0, 0, 1, 1, 0.25, 2 / 3])


def test_pairing_counts_what_changed() -> None:
    assert pair([0, 0, 1, 1, 1], [0, 1, 1, 0, 0]) == Paired(gained=1, lost=2, items=5)


def test_one_score_in_between_makes_the_whole_comparison_graded() -> None:
    changed = pair([0, 0.5, 1], [1, 0.5, 1])
    assert (changed.test, changed.differences, changed.gain) == ("bootstrap", (1, 0, 0), pytest.approx(1 / 3))
    assert pair([0, 0, 1], [1, 0, 1]).test == "mcnemar"


@given(st.lists(st.tuples(scores, scores)))
def test_swapping_the_models_swaps_gains_and_losses(results: list[tuple[float, float]]) -> None:
    before, after = [b for b, _ in results], [a for _, a in results]
    assert pair(after, before) == pair(before, after).swapped()


@given(st.lists(st.tuples(scores, scores), min_size=1, max_size=30))
def test_the_gain_lies_in_its_interval_and_the_worst_loss_is_no_smaller_than_the_seen(
    results: list[tuple[float, float]],
) -> None:
    changed = pair([b for b, _ in results], [a for _, a in results])
    low, high = changed.interval()
    assert -1 <= low <= changed.gain <= high <= 1
    assert -changed.gain <= changed.worst(alpha=0.05) <= 1


def test_results_of_different_items_cannot_be_paired() -> None:
    with pytest.raises(ValueError, match="3 results before, 2 after"):
        pair([0, 1, 0], [0, 1])


@pytest.mark.parametrize("strange", [-0.1, 1.5, float("nan")])
def test_a_score_that_is_none_is_refused(strange: float) -> None:
    with pytest.raises(ValueError, match=f"results hold {strange}; scores from 0 to 1"):
        pair([0, 1], [0, strange])
