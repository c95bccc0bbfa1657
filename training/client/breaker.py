"""Leave a server alone that answers nothing: after some failures in a row one call tries, and all others wait.

Nygard, Release It! (2007), names the pattern. Items do not use up their own tries while the breaker is open.
"""


class Breaker:
    """Closed while calls succeed; open after `failures` in a row; half open when its rest is over.

    Args:
        failures: in a row that open it.
        rest: seconds before the next try; it doubles with every try that fails, up to `longest`.
        longest: seconds; also how long a try may go unanswered before another one begins.
        openings: in a row after which the server counts as gone.
    """

    def __init__(self, *, failures: int = 16, rest: float = 1.0, longest: float = 30.0, openings: int = 6) -> None:
        self.failures, self.rest, self.longest, self.openings = failures, rest, longest, openings
        self.opened = 0
        """Times it opened since the last success; a call hands this back when it failed."""
        self._row = 0
        self._until = 0.0

    @property
    def gone(self) -> bool:
        """Whether the server was tried often enough."""
        return self.opened >= self.openings

    def wait(self, now: float) -> float:
        """Give the seconds to wait before asking again; 0 lets this caller try."""
        if (rest := self.rests(now)) > 0 or self.opened == 0:
            return rest
        self._until = now + self.longest
        return 0.0

    def rests(self, now: float) -> float:
        """Give the seconds until somebody may try, without trying."""
        return max(0.0, self._until - now) if self.opened else 0.0

    def succeeded(self) -> None:
        """The server answered."""
        self._row = self.opened = 0

    def failed(self, now: float, *, opened: int) -> None:
        """The server did not answer.

        Args:
            now: seconds, of the clock given to `wait`.
            opened: what `opened` was when the call began; calls from before the last opening do not count.
        """
        if opened != self.opened:
            return
        self._row += 1
        if self.opened or self._row >= self.failures:
            self.opened += 1
            self._until = now + min(self.longest, self.rest * 2 ** (self.opened - 1))
