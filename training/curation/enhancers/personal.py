"""Whose data it is: addresses, numbers and accounts by which a person can be reached or charged."""

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal

from pydantic import Field

from ..enhancer import Change, Enhancer
from ..masking import Action, Span, mask
from ..pool import Context, Pool

Kind = Literal["email", "phone", "iban", "card", "ip", "ssn"]

EMAIL = re.compile(r"(?<![\w.%+-])[\w.%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24}\b")
RESERVED = re.compile(r"(?i)@(?:[\w.-]+\.)?(?:example\.(?:com|net|org)|[\w-]+\.(?:example|test|invalid|localhost))$")
"""Domains that belong to nobody (RFC 2606)."""
IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[0-9A-Z]{4}){2,7}(?: ?[0-9A-Z]{1,3})?\b")
LENGTHS = {
    "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20, "ES": 24, "FI": 18,
    "FR": 27, "GB": 22, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IS": 26, "IT": 27, "LI": 21, "LT": 20,
    "LU": 20, "LV": 21, "MC": 27, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24, "RS": 22, "SA": 24,
    "SE": 24, "SI": 19, "SK": 24, "TR": 26, "AE": 23,
}  # fmt: skip
"""Characters of an account number by country (ISO 13616)."""
CARD = re.compile(r"(?<![\d.,])\d(?:[ -]?\d){12,18}(?![\d.,]?\d)")
ISSUERS = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}|6(?:011|5\d\d)\d{12}"
    r"|35(?:2[89]|[3-8]\d)\d{12}|3(?:0[0-5]|[68]\d)\d{11}"
)
PHONE = re.compile(
    r"(?<![\w+)])(?<![\d)] )(?P<international>\+[1-9]\d{0,2}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d(?:[ .-]?\d){5,12})(?!\d)"
    r"|(?<!\d)(?P<area>\(\d{3}\) ?\d{3}[-. ]\d{4})(?!\d)"
    r"|(?i:\b(?:phone|telephone|tel|call|mobile|cell|fax)\b\.?[ :]*(?:(?:number|no\.?|at|me|us|is|on)[ :]+){0,3})"
    r"(?P<said>\d(?:[ .-]?\d){6,13})(?!\d)"
)
V4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w]|\.\d)")
V6 = re.compile(r"(?<![\w:])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:])")
SSN = re.compile(
    r"(?i:\b(?:ssn|social security)\b)\D{0,20}(?P<value>(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4})(?!\d)"
)


class Personal(Enhancer):
    """Write the kind in place of personal data, such as `[email]`, or refuse the sample.

    Found is what has a form of its own: e-mail addresses but for those that belong to nobody, international telephone
    numbers and others where it is said that they are one, account numbers (IBAN) and payment cards with the right
    check digits, public IP addresses, and social security numbers that are called so. Names, streets and dates of
    birth are not found: they need a model (`moderation` can be told to look for them). Sums such as `555-123-4567`
    are left alone, but a number that only looks like an address, as 1.2.3.4 does, is not told apart from one.
    """

    action: Action = Field(default="mask")
    """What becomes of a sample with personal data; a conversation with some before the answer is refused."""
    kinds: tuple[Kind, ...] = Field(default=("email", "phone", "iban", "card", "ip", "ssn"))
    """What is looked for."""

    async def enhance(self, pool: Pool, context: Context) -> Sequence[Change]:
        """Mask or refuse."""
        del context
        return mask(pool, self.spans, action=self.action, mark=lambda kind: f"[{kind}]")

    def spans(self, text: str) -> list[Span]:
        """Where personal data stands, in the order of its start."""
        return sorted((*span, kind) for kind in self.kinds for span in FINDERS[kind](text))


Places = list[tuple[int, int]]


def _emails(text: str) -> Places:
    return [m.span() for m in EMAIL.finditer(text) if not RESERVED.search(m[0])] if "@" in text else []


def _phones(text: str) -> Places:
    # at most fifteen digits and, with the country, at least eight (ITU-T E.164)
    return [
        m.span(m.lastgroup or 0)
        for m in PHONE.finditer(text)
        if m.lastgroup != "international" or 8 <= sum(map(str.isdigit, m["international"])) <= 15
    ]


def _ibans(text: str) -> Places:
    found: Places = []
    for match in IBAN.finditer(text):
        start, length = match.start(), LENGTHS.get(match[0][:2], 0)
        places = [i for i, letter in enumerate(match[0], start=start) if letter != " "][:length]
        if len(places) == length > 0 and _checks("".join(text[i] for i in places)):
            found.append((start, places[-1] + 1))
    return found


def _checks(iban: str) -> bool:
    """Whether the check digits are right (ISO 7064, modulo 97)."""
    return int("".join(str(int(letter, 36)) for letter in iban[4:] + iban[:4])) % 97 == 1


def _cards(text: str) -> Places:
    return [m.span() for m in CARD.finditer(text) if _valid(re.sub(r"\D", "", m[0]))]


def _valid(digits: str) -> bool:
    """Whether a card of a known issuer has this number and its last digit is right (Luhn, ISO/IEC 7812)."""
    if not ISSUERS.fullmatch(digits):
        return False
    values = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(value - 9 * (value > 9) for value in values) % 10 == 0


def _addresses(text: str) -> Places:
    return [m.span() for pattern in (V4, V6) for m in pattern.finditer(text) if _public(m[0])]


def _public(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_global
    except ValueError:
        return False


def _numbers(text: str) -> Places:
    return [m.span("value") for m in SSN.finditer(text)]


FINDERS: Mapping[Kind, Callable[[str], Places]] = MappingProxyType(
    {"email": _emails, "phone": _phones, "iban": _ibans, "card": _cards, "ip": _addresses, "ssn": _numbers}
)
