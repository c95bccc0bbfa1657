"""Libraries kept from reporting to anybody and from writing between our lines."""

import os

QUIET = {
    "ANONYMIZED_TELEMETRY": "False",
    "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "LANGGRAPH_STRICT_MSGPACK": "true",
    "LANGSMITH_TRACING": "false",
    "TOKENIZERS_PARALLELISM": "false",
    "TRANSFORMERS_VERBOSITY": "error",
}
"""Telemetry off, checkpoints without code, no bars between our lines; what the user set stays."""


def quiet() -> None:
    """Keep libraries from reporting to anybody and from writing between our lines; call it before they are imported."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
