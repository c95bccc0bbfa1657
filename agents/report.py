"""The report as one page."""

import html
import json
from typing import Any


def render(found: dict[str, Any]) -> str:
    """Give the page."""
    return f"<!doctype html><pre>{html.escape(json.dumps(found, indent=2))}</pre>"
