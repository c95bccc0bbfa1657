import pytest

from evolvent.memory.budget import Budget, Purse, Spending
from evolvent.memory.errors import BudgetError


@pytest.mark.parametrize(
    ("budget", "said"),
    [
        (Budget(tokens=1_000_000), r"tokens = 1,000,000 is spent \(1,000,010\)"),
        (Budget(usd=2.5), r"usd = 2\.5 is spent \(1,234\.5\)"),
        (Budget(wall_clock=86_400), r"wall_clock = 86,400 is spent \(100,000\.25\)"),
        (Budget(gpu_seconds=200_000), r"gpu_seconds = 200,000 is spent \(200,000\.5\)"),
    ],
)
def test_a_spent_budget_is_said_to_the_last_token(budget: Budget, said: str) -> None:
    purse = Purse(budget, clock=iter([0.0, 100_000.25, 100_000.25]).__next__, gpus=2)
    purse.pay("teacher", Spending(1, 1_000_000, 10, 1234.5))
    with pytest.raises(BudgetError, match=said):
        purse.check()
