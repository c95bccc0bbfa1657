"""Values by group removal are Shapley's."""

from itertools import permutations as orders
from math import factorial

import numpy as np
import pytest

from evolvent.training.curation.removal import Present, removals, shares

WEIGHTS = np.array([1.0, -2.0, 0.5, 3.0, 0.0])


def worth(present: np.ndarray) -> float:
    """Not additive: two players are worth more together, and there are diminishing returns."""
    total = float(WEIGHTS @ present) + 2.0 * float(present[0] and present[3])
    return total - 0.3 * float(present.sum()) ** 2


def literal() -> list[float]:
    """Every player's mean gain over all orders of joining."""
    gained = np.zeros(5)
    for order in orders(range(5)):
        present = np.zeros(5, dtype=bool)
        for player in order:
            before = worth(present)
            present[player] = True
            gained[player] += worth(present) - before
    return (gained / factorial(5)).tolist()


def worths(present_PQC: Present) -> np.ndarray:
    return np.apply_along_axis(worth, 2, present_PQC)


def all_orders() -> Present:
    """Stages of every order of leaving, one player at a time."""
    return np.array(
        [[[place >= gone for place in order] for gone in range(6)] for order in orders(range(5))], dtype=np.bool_
    )


def test_over_all_orders_and_one_by_one_the_shares_are_shapley_values() -> None:
    present_PQC = all_orders()
    np.testing.assert_allclose(shares(present_PQC, worths(present_PQC)), literal())


def test_drawn_orders_come_near() -> None:
    present_PQC = removals(5, permutations=2000, group=1, seed=0)
    np.testing.assert_allclose(shares(present_PQC, worths(present_PQC)), literal(), atol=0.1)


@pytest.mark.parametrize("group", [1, 2, 3, 5, 9])
def test_shares_add_up_to_the_worth_of_all_less_that_of_none(group: int) -> None:
    present_PQC = removals(5, permutations=7, group=group, seed=0)
    assert shares(present_PQC, worths(present_PQC)).sum() == pytest.approx(worth(np.ones(5)) - worth(np.zeros(5)))


def test_a_group_leaves_at_every_stage_until_nobody_is_left() -> None:
    present_PQC = removals(7, permutations=3, group=3, seed=1)
    assert present_PQC.sum(2).tolist() == [[7, 4, 1, 0]] * 3
    assert (present_PQC[:, 1:] <= present_PQC[:, :-1]).all()
