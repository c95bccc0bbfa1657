import asyncio
from pathlib import Path

import pytest

from evolvent.memory import account
from evolvent.memory.account import Account, paying
from evolvent.memory.budget import Budget, Spending
from evolvent.memory.errors import BudgetError, RunError
from evolvent.memory.responses import Response, paid


def pay(path: Path, key: str) -> None:
    with paying(Account(path, Budget())) as own:
        asyncio.run(own.responses.put(Response(key, "teacher", Spending(1, 10, 2, 0.5), "{}")))


def test_what_earlier_processes_paid_counts_as_spent(tmp_path: Path) -> None:
    pay(tmp_path / "r.sqlite", "a")
    pay(tmp_path / "r.sqlite", "b")
    with paying(Account(tmp_path / "r.sqlite", Budget(usd=1.0))) as own:
        assert own.purse.roles == {"teacher": Spending(2, 20, 4, 1.0)}
        with pytest.raises(BudgetError, match=r"budget usd = 1 is spent \(1\).*--set budget.usd="):
            own.purse.check()


def test_time_of_earlier_processes_counts_and_ends_a_session_that_asks_nothing(tmp_path: Path) -> None:
    with (
        paying(Account(tmp_path / "r.sqlite", Budget(wall_clock=60), seconds=61)) as own,
        pytest.raises(BudgetError, match="budget wall_clock = 60 is spent"),
    ):
        own.purse.check_time()


def test_a_session_that_asks_nobody_has_no_store(tmp_path: Path) -> None:
    with paying(Account(tmp_path / "r.sqlite", Budget())) as own:
        assert account.current() is own
    assert account.current() is None
    assert list(tmp_path.iterdir()) == []
    assert paid(tmp_path / "r.sqlite") == {}


def test_a_store_that_cannot_be_read_is_refused_before_anything_is_paid_again(tmp_path: Path) -> None:
    (tmp_path / "r.sqlite").write_text("not a database, but long enough to look at" * 40)
    with pytest.raises(RunError, match="stored answers cannot be read"):
        Account(tmp_path / "r.sqlite", Budget())
