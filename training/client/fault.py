"""What can go wrong with a call, and what to do about it.

`retry`: the server or the way to it had trouble, the same call may succeed. `repair`: the model's answer has not the
form asked for, one more turn may mend it. `fail`: this item will never succeed, record why and go on. `stop`: no call
will succeed until a person acts.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Literal

Remedy = Literal["retry", "repair", "fail", "stop"]

BUSY = (429, 503, 529)
"""The server is there and has too much to do; 529 is what some vendors send for overloaded."""
BROKEN = (408, 500, 502, 504)
CLOSED = (401, 402)
"""No valid key, or nothing left on the account: every call would end like this."""


class Fault(Exception):
    """One call that came to nothing."""

    def __init__(self, reason: str, *, remedy: Remedy, busy: bool = False, after: float | None = None) -> None:
        super().__init__(reason)
        self.remedy: Remedy = remedy
        self.busy = busy
        """The server asks for fewer calls."""
        self.after = after
        """Seconds it asks to wait; None when it names none."""


def of_status(status: int, headers: Mapping[str, str], said: str, *, now: datetime) -> Fault:
    """Say what an HTTP status other than 200 means.

    Args:
        status: the code.
        headers: of the reply.
        said: beginning of its body, without keys.
        now: the time, in UTC, against which a date in Retry-After counts.
    """
    reason = f"{status} {_phrase(status)}: {said}" if said else f"{status} {_phrase(status)}"
    if status in BUSY:
        return Fault(reason, remedy="retry", busy=True, after=retry_after(headers.get("Retry-After"), now=now))
    if status in BROKEN:
        return Fault(reason, remedy="retry")
    return Fault(reason, remedy="stop" if status in CLOSED else "fail")


def retry_after(value: str | None, *, now: datetime) -> float | None:
    """Read a Retry-After header, seconds or a date; None when it says nothing that can be used."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            then = parsedate_to_datetime(value)
        except ValueError:
            return None
        seconds = ((then if then.tzinfo else then.replace(tzinfo=UTC)) - now).total_seconds()
    return seconds if 0 <= seconds < float("inf") else None


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase.lower()
    except ValueError:
        return "unknown status"
