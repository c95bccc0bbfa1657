import math

import numpy as np
import pytest

from evolvent.memory.seeds import mean_interval, ratio_interval, student_t


def test_the_interval_of_five_seeds_is_as_wide_as_students_t() -> None:
    # of normal values the mean's expanded interval is close to Student's; five fixed ones, symmetric about their mean
    values = np.array([-1.4, -0.6, 0.0, 0.6, 1.4])
    reach = student_t(0.975, 4) * values.std(ddof=1) / math.sqrt(5)
    low, high = mean_interval(values)
    assert student_t(0.975, 4) == pytest.approx(2.776, abs=2e-3)
    assert low == pytest.approx(-high)
    assert high == pytest.approx(reach, rel=0.2)


def test_a_ratio_of_equal_arms_is_one_whatever_the_seeds() -> None:
    values = np.array([3.0, 5.0, 9.0, 4.0, 7.0])
    assert ratio_interval(values, values) == pytest.approx((1.0, 1.0))


def test_one_seed_says_nothing() -> None:
    assert mean_interval(np.array([3.0])) == (-math.inf, math.inf)
