"""How a server is started: its command line, its environment, and what makes one server as good as another."""

import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from ...memory.errors import UnavailableError
from ...memory.files import digest
from .environment import needed
from .weights import Weights, head_size

NAME = "student"
"""What the full weights are called in requests."""
HEADS = (32, 64, 80, 96, 112, 128, 160, 192, 224, 256, 512)
"""Widths of an attention head that vLLM's CPU build can compute."""
CPU = "cpu"
"""How the name of the build for processors begins."""
RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""Ranks of an adapter that vLLM makes room for."""


@dataclass(frozen=True, slots=True)
class Launch:
    """Settings of a server process."""

    build: str
    """Which vLLM is installed, such as `cpu 0.31.0`."""
    dtype: str
    threads: int
    """CPU threads."""
    cache: int
    """GiB for keys and values, on a CPU."""
    share: float
    """Share of a GPU's memory it may take."""
    rank: int
    """Largest rank of an adapter; 0 for none."""
    arguments: tuple[str, ...]
    """More of vLLM's own arguments."""
    start: float
    """Seconds it may take to come up."""
    sleep: bool = False
    """Whether it gives its GPU memory away while nothing is asked of it."""

    def identity(self, weights: Weights) -> str:
        """Digest that servers share when either could serve for the other."""
        return digest([asdict(self), weights.shape])

    def check(self, weights: Weights) -> None:
        """Refuse what the server could not serve.

        Raises:
            UnavailableError: naming the setting to change.
        """
        if self.sleep and self.build.startswith(CPU):
            raise UnavailableError(
                "student.engine.sleep: vLLM's CPU build has no sleep mode ('not supported on current platform'), and "
                "takes no memory from a GPU; leave sleep away"
            )
        if weights.rank > self.rank:
            room = min((r for r in RANKS if r >= weights.rank), default=weights.rank)
            raise UnavailableError(
                f"{weights.path}: an adapter of rank {weights.rank}, the server has room for {self.rank}; "
                f"set student.engine.rank = {room}"
            )
        check_heads(self.build, weights)

    def command(self, weights: Weights, socket: Path) -> list[str]:
        """Program and arguments that serve full weights at a Unix socket."""
        given = {
            "model": str(weights.base),
            "served-model-name": NAME,
            "uds": str(socket),
            "dtype": self.dtype,
            "gpu-memory-utilization": str(self.share),
            "generation-config": "vllm",
            "load-format": "safetensors",
            "seed": "0",
        }
        if self.rank:
            given |= {"max-lora-rank": str(self.rank), "max-loras": "2", "max-cpu-loras": "4"}
        switches = ["--enforce-eager", "--disable-log-stats", *(["--enable-lora"] if self.rank else [])]
        switches += ["--enable-sleep-mode"] if self.sleep else []
        # not `vllm serve`: the CPU build carries another distribution's name, which that command does not find
        program = [sys.executable, "-m", "vllm.entrypoints.openai.api_server"]
        return [*program, *(f"--{k}={v}" for k, v in given.items()), *switches, *self.arguments]

    def environment(self) -> dict[str, str]:
        """Every variable the server sees: no keys, no reports to anybody, no network."""
        wanted = {
            "DO_NOT_TRACK": "1",
            "HF_HUB_OFFLINE": "1",
            "OMP_NUM_THREADS": str(self.threads),
            "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "1",
            "VLLM_CPU_KVCACHE_SPACE": str(self.cache),
            "VLLM_CPU_OMP_THREADS_BIND": "nobind",
            "VLLM_NO_USAGE_STATS": "1",
            "VLLM_SERVER_DEV_MODE": "1",
        }
        return {**needed(os.environ), **wanted}


def check_heads(build: str, weights: Weights) -> None:
    """Refuse attention heads that a build cannot compute.

    Raises:
        UnavailableError: naming the settings to change.
    """
    width = head_size(weights)
    if build.startswith(CPU) and width not in HEADS:
        raise UnavailableError(
            f"{weights.base}: attention heads {width} wide, vLLM's CPU build has {', '.join(map(str, HEADS))}; "
            "choose student.hidden and student.heads so that hidden / heads is one of them, such as 96 / 3; "
            'a model of your own is answered for by student.engine = "transformers"'
        )


def installed_build() -> str:
    """Which build is installed, such as `cpu 0.31.0`.

    Raises:
        UnavailableError: none.
    """
    from importlib.metadata import PackageNotFoundError, version

    for name, said in (("vllm-cpu", "cpu"), ("vllm", "gpu")):
        try:
            return f"{said} {version(name)}"
        except PackageNotFoundError:
            continue
    raise UnavailableError("engine 'vllm' needs vLLM, which is not installed; try: make vllm")


def tail(log: Path, *, lines: int = 8) -> str:
    """Last lines of a server's log, for messages."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""
