"""Where a student computes in this process."""

from typing import Literal

from ..memory.errors import UnavailableError

Device = Literal["auto", "cpu", "cuda"]
"""`auto` is a GPU where torch sees one."""


def choose(wanted: Device) -> Literal["cpu", "cuda"]:
    """Say where to compute.

    Raises:
        UnavailableError: a GPU is asked for and torch sees none.
    """
    import torch

    seen = wanted != "cpu" and torch.cuda.is_available()
    if wanted == "cuda" and not seen:
        raise UnavailableError("device 'cuda': torch sees no GPU; use 'auto', or a build of torch for this GPU")
    return "cuda" if seen else "cpu"


def gpus() -> int:
    """GPUs that this process may use."""
    import torch

    return torch.cuda.device_count()


def memory() -> float | None:
    """GiB of the first GPU that this process may use, all of it; None without one."""
    import torch

    if not torch.cuda.is_available():
        return None
    return float(torch.cuda.get_device_properties(0).total_memory) / 2**30


def give_back() -> None:
    """Hand memory that nothing holds any more back to the GPU, for another process to take."""
    import gc

    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def unset(wanted: object) -> bool:
    """Whether nothing was said of a device, so that runs begun before there was a choice can go on."""
    return wanted == "auto"
