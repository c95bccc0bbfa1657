"""Keys and passwords, taken by value out of every text before it is written or sent."""

import json
import os
import re
from collections.abc import Mapping
from typing import Self
from urllib.parse import unquote

HIDDEN = "***"
SHORTEST = 8
"""Characters below which a value is too common a text to be a secret, and would be cut out of ordinary ones."""
NAMES = re.compile(r"(^|_)(API_?KEY|KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)(_|$)", re.IGNORECASE)
"""Variables whose values are secrets."""
HEADERS = re.compile(r"OTEL_EXPORTER_OTLP_(\w+_)?HEADERS")
"""Variables that hold headers as `name=value,…`, percent-encoded; every value may be a secret."""


class Secrets:
    """Values that nobody else may read."""

    def __init__(self) -> None:
        self._values: list[str] = []

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> Self:
        """Collect the secrets of an environment."""
        found = cls()
        for name, value in variables.items():
            if HEADERS.fullmatch(name):
                for header in value.split(","):
                    said = header.partition("=")[2].strip()
                    found.add(said)
                    found.add(unquote(said).strip().removeprefix("Bearer ").strip())
            elif NAMES.search(name):
                found.add(value.strip())
        return found

    @classmethod
    def here(cls) -> Self:
        """Collect the secrets of this process's environment."""
        return cls.of(os.environ)

    def add(self, value: str) -> None:
        """Keep a value hidden from now on, also as JSON writes it; one that is too short is no secret."""
        if len(value) < SHORTEST:
            return
        forms = {value, json.dumps(value, ensure_ascii=False)[1:-1]}
        # longest first: a secret may be part of another one
        self._values = sorted({*self._values, *forms}, key=lambda v: (-len(v), v))

    def redact(self, text: str) -> str:
        """Take every secret out of a text."""
        for value in self._values:
            if value in text:
                text = text.replace(value, HIDDEN)
        return text

    def dump(self, values: Mapping[str, object]) -> str:
        """Write values as JSON without a secret in it."""
        whole = json.dumps(values, ensure_ascii=False)
        if (text := self.redact(whole)) is whole:
            return text
        # cut out of the JSON a secret may take half of an escape with it, or begin in one value and end in another
        return json.dumps({self.redact(k): self._clean(v) for k, v in values.items()}, ensure_ascii=False)

    def _clean(self, value: object) -> object:
        return self.redact(value) if isinstance(value, str) else value
