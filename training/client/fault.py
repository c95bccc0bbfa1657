"""What can go wrong with a call, and what to do about it.

`retry`: the server or the way to it had trouble, the same call may succeed. `fail`: this item will never succeed,
record why and go on. `stop`: no call will succeed until a person acts.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Literal

from ...memory.display import visible

Remedy = Literal["retry", "fail", "stop"]

BUSY = (429, 503, 529)
"""The server is there and has too much to do; 529 is what some vendors send for overloaded."""
CLOSED = (401, 402, 403)
"""No valid key, nothing left on the account, or no right to the model: every call would end like this."""
SPENT = '"insufficient_quota"'
"""Stands in the error object of a 429 that means an empty account. Quoted inside a message it would be escaped."""
EXCERPT = 200
"""Characters of a reply that a reason shows."""


class Fault(Exception):
    """One call that came to nothing; in its reason, what a terminal would obey is shown as its escape."""

    def __init__(self, reason: str, *, remedy: Remedy, busy: bool = False, after: float | None = None) -> None:
        super().__init__(visible(reason))
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
        said: its body, without keys.
        now: the time, in UTC, against which a date in Retry-After counts.
    """
    begins = " ".join(said[:EXCERPT].split())
    reason = f"{status} {_phrase(status)}: {begins}" if begins else f"{status} {_phrase(status)}"
    if status in CLOSED or (status == HTTPStatus.TOO_MANY_REQUESTS and SPENT in said):
        return Fault(reason, remedy="stop")
    if status in BUSY:
        return Fault(reason, remedy="retry", busy=True, after=retry_after(headers.get("Retry-After"), now=now))
    return Fault(reason, remedy="retry" if _broken(status) else "fail")


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


def _broken(status: int) -> bool:
    """The server or one on the way to it failed; proxies have numbers of their own, such as 520 to 527."""
    return status == HTTPStatus.REQUEST_TIMEOUT or 500 <= status < 600


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase.lower()
    except ValueError:
        return "unknown status"
