"""A key for an endpoint: read from the environment by name, and taken out of every text that leaves the client."""

import json
import os
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

from ...memory.errors import UnavailableError
from ...memory.secrets import HIDDEN, SHORTEST
from ...memory.trace import hide


@dataclass(frozen=True, slots=True)
class Key:
    """The key itself is in no `repr`."""

    value: str = field(default="", repr=False)
    """Empty for an endpoint that asks for none."""

    @classmethod
    def read(cls, variable: str | None) -> "Key":
        """Read an environment variable.

        Args:
            variable: its name; None for no key.

        Raises:
            UnavailableError: it is not set, or holds no key.
        """
        if variable is None:
            return cls()
        value = os.environ.get(variable, "").strip()
        if len(value) < SHORTEST or not value.isascii() or not value.isprintable():
            raise UnavailableError(
                f"environment variable {variable!r} holds no key for the endpoint; "
                f"try: export {variable}=… (at least {SHORTEST} printable characters)"
            )
        hide(value)
        return cls(value)

    def headers(self, url: str) -> dict[str, str]:
        """What a request to this address carries.

        Raises:
            UnavailableError: everybody on the way to it could read the key.
        """
        if not self.value:
            return {}
        if not _private(url):
            raise UnavailableError(
                f"the key for {url} would go unencrypted; use https://, a tunnel to localhost, or no key"
            )
        return {"Authorization": f"Bearer {self.value}"}

    def redact(self, text: str) -> str:
        """Take the key out of a text, also where it stands as JSON writes it."""
        if not self.value:
            return text
        return text.replace(self.value, HIDDEN).replace(json.dumps(self.value)[1:-1], HIDDEN)


def _private(url: str) -> bool:
    """Whether nobody between here and there can read along: it is encrypted, or never leaves this machine."""
    parts = urlsplit(url)
    if parts.scheme == "https" or parts.hostname == "localhost":
        return True
    try:
        return ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False
