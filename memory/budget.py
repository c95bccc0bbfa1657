"""What models may cost, what they have cost by role, and the end of a session that has spent it.

A budget is looked at before every call, so it is overshot by at most the calls that were under way.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .errors import BudgetError


@dataclass(frozen=True, slots=True)
class Spending:
    """What calls came to."""

    calls: int = 0
    prompt_tokens: int = 0
    tokens: int = 0
    """Tokens of the answers."""
    usd: float = 0.0

    def __add__(self, other: "Spending") -> "Spending":
        return Spending(
            self.calls + other.calls,
            self.prompt_tokens + other.prompt_tokens,
            self.tokens + other.tokens,
            self.usd + other.usd,
        )


@dataclass(frozen=True, slots=True)
class Budget:
    """The most a session may spend; None is without limit."""

    tokens: int | None = None
    """Tokens of prompts and answers together."""
    usd: float | None = None
    wall_clock: float | None = None
    """Seconds, over all the processes of a session."""
    gpu_seconds: float | None = None
    """Seconds times GPUs held, busy or not, as a cluster bills them."""
    disk: int | None = None
    """Bytes of the run's folder."""


class Purse:
    """Counts what every role spends and refuses the next call when a budget is reached.

    Args:
        budget: the limits.
        spent: what earlier processes of the session spent, by role.
        seconds: wall time they took.
        gpus: GPUs that the session holds from begin to end.
        clock: seconds that only go forward, such as `time.monotonic`.
    """

    def __init__(
        self,
        budget: Budget,
        *,
        clock: Callable[[], float],
        spent: Mapping[str, Spending] | None = None,
        seconds: float = 0,
        gpus: int = 0,
    ) -> None:
        self.budget = budget
        self.gpus = gpus
        self.roles: dict[str, Spending] = dict(spent or {})
        self._total = sum(self.roles.values(), Spending())
        self._clock = clock
        self._since = clock() - seconds
        self._lock = threading.Lock()

    def pay(self, role: str, cost: Spending) -> None:
        """Book a call that was answered, whatever the answer was good for."""
        # engines of several roles pay from threads of their own
        with self._lock:
            spent = self.roles.get(role)
            self.roles[role] = cost if spent is None else spent + cost
            self._total += cost

    @property
    def seconds(self) -> float:
        """Wall time of the session so far."""
        return self._clock() - self._since

    def check(self) -> None:
        """Let the next call begin.

        Raises:
            BudgetError: a budget is reached.
        """
        total = self._total
        _within("tokens", total.prompt_tokens + total.tokens, self.budget.tokens)
        _within("usd", total.usd, self.budget.usd)
        self.check_time()

    def check_time(self) -> None:
        """Let the next step begin, which may need no call.

        Raises:
            BudgetError: the wall time or the time of GPUs is used up.
        """
        _within("wall_clock", self.seconds, self.budget.wall_clock)
        _within("gpu_seconds", self.seconds * self.gpus, self.budget.gpu_seconds)

    def check_disk(self, used: int) -> None:
        """Let the next step begin, which may write.

        Args:
            used: bytes of the run's folder.

        Raises:
            BudgetError: the folder has as many as it may.
        """
        _within("disk", used, self.budget.disk)


def _within(name: str, used: float, most: float | None) -> None:
    if most is not None and used >= most:
        raise BudgetError(
            f"budget {name} = {_figure(most)} is spent ({_figure(used)}); everything paid for is kept, "
            f"raise it and go on with `evolvent resume RUN --set budget.{name}=…`"
        )


def _figure(value: float) -> str:
    """Give `1,000,010` or `0.25`; what is rounded more could look like the budget itself."""
    return f"{value:,.6f}".rstrip("0").rstrip(".")
