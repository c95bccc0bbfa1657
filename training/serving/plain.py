"""A vLLM server for people: one student, at an OpenAI-compatible API on a port that this machine alone reaches.

Unlike the server of a session it takes no other weights, so none of the routes that run code are there.
"""

import os
import sys
from pathlib import Path

from .environment import needed
from .launch import check_heads, installed_build
from .weights import read

BASE = "base"
"""What the weights under an adapter are called."""
CACHE = "1"
"""GiB for keys and values on a CPU, where nothing else is said."""


def command(checkpoint: Path, *, name: str, port: int) -> list[str]:
    """Program and arguments.

    Args:
        checkpoint: folder of the student.
        name: what requests call it.
        port: on 127.0.0.1.

    Raises:
        UnavailableError: vLLM is not installed, or does not serve such a student.
    """
    weights = read(checkpoint)
    check_heads(installed_build(), weights)
    given = {"model": weights.base, "host": "127.0.0.1", "port": port, "load-format": "safetensors"}
    given |= {"generation-config": "vllm", "served-model-name": BASE if weights.rank else name}
    adapter = ["--enable-lora", f"--max-lora-rank={weights.rank}", f"--lora-modules={name}={weights.path}"]
    # not `vllm serve`: the CPU build carries another distribution's name, which that command does not find
    program = [sys.executable, "-m", "vllm.entrypoints.openai.api_server"]
    return [*program, *(f"--{k}={v}" for k, v in given.items()), *(adapter if weights.rank else [])]


def environment() -> dict[str, str]:
    """Every variable it sees: no keys, no reports to anybody, no network; what the user set for vLLM stays."""
    quiet = {"DO_NOT_TRACK": "1", "HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1"}
    usual = {"OMP_NUM_THREADS": "1", "VLLM_CPU_KVCACHE_SPACE": CACHE, "VLLM_CPU_OMP_THREADS_BIND": "nobind"}
    return {**usual, **needed(os.environ), **quiet}
