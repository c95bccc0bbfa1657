"""Keys, tokens and passwords: what a model has learned it may say to anybody."""

import math
import re
from collections import Counter
from collections.abc import Sequence

from pydantic import Field

from ..enhancer import Change, Enhancer
from ..masking import Action, Span, mask
from ..pool import Context, Pool

ISSUED = {
    "AWS key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "GitHub token": r"\b(?:gh[oprsu]_[0-9A-Za-z]{36,}|github_pat_[0-9A-Za-z_]{50,})",
    "GitLab token": r"\bglpat-[0-9A-Za-z_-]{20,}",
    "Google key": r"\bAIza[0-9A-Za-z_-]{35}",
    "Hugging Face token": r"\bhf_[0-9A-Za-z]{30,}",
    "npm token": r"\bnpm_[0-9A-Za-z]{36}\b",
    "model provider's key": r"\bsk-(?:ant-|proj-|or-)?[0-9A-Za-z_-]{20,}",
    "package index token": r"\bpypi-AgE[0-9A-Za-z_-]{40,}",
    "SendGrid key": r"\bSG\.[0-9A-Za-z_-]{22}\.[0-9A-Za-z_-]{43}",
    "Slack token": r"\bxox[abeoprs]-[0-9A-Za-z-]{10,}",
    "Stripe key": r"\b[rs]k_(?:live|test)_[0-9A-Za-z]{16,}",
    "JSON web token": r"\beyJ[0-9A-Za-z_-]{8,}\.eyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]{8,}",
    "private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    "password in an address": r"(?<=://)[^\s/:@]+:[^\s/@]{3,}(?=@)",
}
"""What is known by its form, whoever issued it."""
NAMED = re.compile(
    r"(?i)\b(?:[a-z0-9]{1,20}[_-]){0,3}(?:password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key|auth[_-]?key)\b"
    r"[\"']?\s*(?::=|[:=]|\bis\b)\s*[\"']?(?P<value>[^\s\"',;]{8,})"
)
"""What is called a secret where it stands."""
BEARER = re.compile(r"(?i)\bauthorization[\"']?\s*[:=]\s*[\"']?(?:bearer|basic)\s+(?P<value>[\w.~+/=-]{8,})")
PATTERNS = {name: re.compile(f"(?P<value>{pattern})") for name, pattern in ISSUED.items()}
SURPRISE = 2.75
"""Bits per character from which a named value is drawn by a machine, or chosen to be hard to guess; words have less."""


class Secrets(Enhancer):
    """Refuse samples with a credential in them, or write `[secret]` in its place.

    Credentials are known by the form their issuer gives them, by what stands before them (`password = …`,
    `Authorization: Bearer …`), or as PEM. A value that is only called a secret counts where its characters are mixed
    (letters and digits) and surprising, so that `password = "your-password"` passes. Secrets without form or name are
    not found. A conversation is not rewritten: one with a credential in a turn before the answer is refused.
    """

    action: Action = Field(default="refuse")
    """What becomes of a sample with a credential."""

    async def enhance(self, pool: Pool, context: Context) -> Sequence[Change]:
        """Refuse or mask."""
        del context
        return mask(pool, spans, action=self.action, mark=lambda _: "[secret]")


def spans(text: str) -> list[Span]:
    """Where credentials stand: start, end and what they are, in order of their start."""
    found = [(*m.span("value"), kind) for kind, pattern in PATTERNS.items() for m in pattern.finditer(text)]
    found += [(*m.span("value"), "named secret") for m in NAMED.finditer(text) if _surprising(m["value"])]
    found += [(*m.span("value"), "authorization header") for m in BEARER.finditer(text)]
    return sorted(found)


def _surprising(value: str) -> bool:
    """Whether a text is unlike words: letters and digits, and many different ones (Shannon's entropy)."""
    if not (any(map(str.isdigit, value)) and any(map(str.isalpha, value))):
        return False
    shares = [count / len(value) for count in Counter(value).values()]
    return -math.fsum(share * math.log2(share) for share in shares) >= SURPRISE
