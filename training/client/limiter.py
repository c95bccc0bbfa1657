"""How many calls may be under way at once: more while the server keeps up, half as many when it does not.

Additive increase, multiplicative decrease (Chiu and Jain 1989, https://doi.org/10.1016/0169-7552(89)90019-6). Up to
the first sign of too much the limit doubles per wave of calls, as TCP's slow start does; from then on it grows by one.
"""

CUT = 0.5


class Limiter:
    """A number of slots that adapts. Who waits for one is the fleet's business.

    Args:
        first: calls at once in the beginning.
        most: never more than this.
        rest: seconds without a call after a refusal; doubled by every wave of them in a row, up to `longest`.
        longest: seconds.
    """

    def __init__(self, *, first: int, most: int, rest: float = 0.5, longest: float = 30.0) -> None:
        self.limit = float(min(first, most))
        self.most, self.rest, self.longest = most, rest, longest
        self.busy = 0
        """Slots taken."""
        self._threshold = float(most)
        self._cuts = 0
        self._next = rest
        self._until = 0.0

    @property
    def room(self) -> float:
        """Share of the slots that is free; 0 or less where none is."""
        return 1 - self.busy / int(self.limit)

    def wait(self, now: float) -> float:
        """Seconds until the pause is over; 0 where there is none."""
        return max(0.0, self._until - now)

    def take(self) -> int:
        """Take a slot; give a ticket for `cut`."""
        self.busy += 1
        return self._cuts

    def give(self) -> None:
        """Return a slot."""
        self.busy -= 1

    def grow(self) -> None:
        """A call went well: allow more, unless the limit was not what held calls back."""
        self._next = self.rest
        if self.busy >= int(self.limit) and self.limit < self.most:
            self.limit = min(self.most, self.limit + (1 if self.limit < self._threshold else 1 / self.limit))

    def cut(self, ticket: int) -> float:
        """A call met a server with too much to do: allow half, and give the seconds to rest.

        Calls begun before the last cut do not count; their rest is 0.
        """
        if ticket != self._cuts:
            return 0.0
        self._cuts += 1
        self.limit = self._threshold = max(1.0, self.limit * CUT)
        rest, self._next = self._next, min(self.longest, 2 * self._next)
        return rest

    def pause(self, until: float) -> None:
        """Begin no call before this time, of the clock given to `wait`."""
        self._until = max(self._until, until)
