"""What a page sends when a person decides: read within limits, and only from a form that this viewer made."""

import hashlib
import hmac
from urllib.parse import parse_qsl

from starlette.requests import Request

from ..errors import UsageError

MOST = 1_500_000
"""Bytes of one form: a prompt, an answer and reasoning at their longest, in characters that are written as three."""
FIELDS = 12
"""Fields of one form at most."""
KIND = "application/x-www-form-urlencoded"


class FormError(UsageError):
    """Something that no form of ours sends."""


def mark(token: str) -> str:
    """What a form of ours holds and no other page knows; it follows from the token of visitors, without telling it."""
    return hmac.new(token.encode("utf-8", "replace"), b"evolvent review form", hashlib.sha256).hexdigest()


async def fields(request: Request, *, token: str) -> dict[str, str]:
    """Read a form.

    Raises:
        FormError: too long, of another kind, damaged, or without the mark of our forms.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != KIND:
        raise FormError(f"a decision is sent as {KIND}")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST:
            raise FormError(f"a decision of more than {MOST:,} bytes is not read")
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=FIELDS
        )
    except ValueError:
        raise FormError("the form cannot be read; load its page again") from None
    found = dict(pairs)
    if len(found) != len(pairs):
        raise FormError("the form names a field twice; load its page again")
    if not hmac.compare_digest(found.pop("mark", "").encode(), mark(token).encode()):
        raise FormError("not a form of this viewer; load its page again")
    return {name: text.replace("\r\n", "\n") for name, text in found.items()}
