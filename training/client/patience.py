"""How long one item is asked for: so many calls that come to nothing, and so long under refusals of a busy server.

A refusal costs no try, since the server did nothing wrong and said when it can be asked: later.
"""

from random import Random

from .fault import Fault


class Patience:
    """What one item has gone through.

    Args:
        tries: calls it may take, refusals of a busy server not counted.
        pause: seconds before the second try; doubled each time, and drawn from half of that up.
        busy: seconds from its first refusal to its last.
        rng: draws the pauses.
    """

    def __init__(self, *, tries: int, pause: float, busy: float, rng: Random) -> None:
        self.tries, self.pause, self.busy = tries, pause, busy
        self._rng = rng
        self._failed = 0
        self._since: float | None = None

    def bear(self, fault: Fault, *, now: float, answered: float) -> float:
        """Give the seconds to wait before the next call; 0 where the limiter decides.

        Args:
            fault: what became of the call.
            now: seconds, of a clock that only goes forward.
            answered: when the server last answered any item, of the same clock.

        Raises:
            Fault: there is to be no next call. Its remedy is `stop` where all items were refused all the time.
        """
        if fault.remedy != "retry":
            raise fault
        if fault.busy:
            self._wait(fault, now, answered)
            return 0.0
        self._failed += 1
        if self._failed == self.tries:
            raise Fault(f"{fault}; {self.tries} tries", remedy="fail")
        return self.pause * 2 ** (self._failed - 1) * self._rng.uniform(0.5, 1)

    def _wait(self, fault: Fault, now: float, answered: float) -> None:
        self._since = now if self._since is None else self._since
        if now - self._since >= self.busy:
            others = answered >= self._since
            raise Fault(f"{fault}; for {self.busy:g} s", remedy="fail" if others else "stop")
