import json
from datetime import UTC, datetime

import pytest

from evolvent.training.client.fault import of_status, retry_after

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("2", 2.0), ("0.5", 0.5), ("0", 0.0), ("Fri, 02 Jan 2026 03:04:15 GMT", 10.0), (None, None), ("soon", None),
        ("-1", None), ("nan", None), ("inf", None), ("Fri, 02 Jan 2026 03:04:00 GMT", None), ("", None),
    ],
)  # fmt: skip
def test_a_wait_is_read_as_seconds_or_a_date_and_nonsense_as_none(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, now=NOW) == seconds


@pytest.mark.parametrize(
    ("status", "remedy", "busy"),
    [
        (429, "retry", True), (503, "retry", True), (529, "retry", True), (500, "retry", False), (502, "retry", False),
        (520, "retry", False), (522, "retry", False), (524, "retry", False), (599, "retry", False),
        (408, "retry", False), (400, "fail", False), (404, "fail", False), (413, "fail", False),
        (401, "stop", False), (402, "stop", False), (403, "stop", False), (307, "fail", False), (799, "fail", False),
    ],
)  # fmt: skip
def test_a_status_says_what_to_do(status: int, remedy: str, busy: bool) -> None:
    fault = of_status(status, {}, "", now=NOW)
    assert (fault.remedy, fault.busy) == (remedy, busy)


def test_an_account_with_nothing_left_is_no_busy_server() -> None:
    spent = f'{{"error": {{"message": "{"You exceeded your current quota. " * 9}", "code": "insufficient_quota"}}}}'
    fault = of_status(429, {}, spent, now=NOW)
    assert (fault.remedy, fault.busy) == ("stop", False)
    asked = json.dumps({"error": {"message": 'slow down: "insufficient_quota"'}})
    assert of_status(429, {}, asked, now=NOW).busy


def test_a_reason_shows_what_a_terminal_would_obey() -> None:
    reason = str(of_status(400, {}, "\x1b]0;owned\x07 \u202e", now=NOW))
    assert r"\x1b]0;owned\x07 \u202e" in reason
    assert "\x1b" not in reason
