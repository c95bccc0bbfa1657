"""Which of this process's variables a started server sees: what it needs to run, and nobody's keys."""

import re
from collections.abc import Mapping

NAMES = frozenset(
    {
        "CC", "CXX", "HF_HOME", "HOME", "LANG", "LD_LIBRARY_PATH", "LD_PRELOAD", "LOGNAME", "PATH", "SHELL", "TMPDIR",
        "TZ", "USER", "VIRTUAL_ENV",
    }
)  # fmt: skip
PREFIXES = (
    *("CUDA_", "HIP_", "NCCL_", "NVIDIA_", "ROCR_", "TORCH", "PYTORCH_", "TRITON_", "VLLM_"),
    *("GOMP_", "KMP_", "MKL_", "OMP_", "OPENBLAS_"),
    *("LC_", "PYTHON", "XDG_"),
)
"""Beginnings of names that an accelerator, a mathematics library or the interpreter reads."""
SECRET = re.compile("KEY|TOKEN|SECRET|PASSW|CREDENTIAL|AUTH", re.IGNORECASE)


def needed(variables: Mapping[str, str]) -> dict[str, str]:
    """Choose the variables a server may see."""
    return {name: value for name, value in variables.items() if _may_see(name)}


def _may_see(name: str) -> bool:
    return (name in NAMES or name.startswith(PREFIXES)) and not SECRET.search(name)
