"""A checkpoint is a folder of safetensors; its digest names the student."""

from pathlib import Path
from typing import TYPE_CHECKING

from ..memory.errors import UnavailableError
from ..memory.files import file_digest

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

WEIGHTS = "model.safetensors"


def identify(checkpoint: Path) -> str:
    """Sixteen hexadecimal digits of the sha256 of the weights."""
    path = checkpoint / WEIGHTS
    if not path.is_file():
        raise UnavailableError(f"{checkpoint}: no {WEIGHTS}; a student is a folder of safetensors")
    return file_digest(path)[:16]


def load(checkpoint: Path) -> "tuple[PreTrainedModel, PreTrainedTokenizerFast]":
    """Load model and tokenizer: safetensors only, no remote code, full precision."""
    import torch
    from transformers import AutoModelForCausalLM

    try:
        model = AutoModelForCausalLM.from_pretrained(
            checkpoint, dtype=torch.float32, use_safetensors=True, trust_remote_code=False, local_files_only=True
        )
    except (OSError, ValueError) as error:
        raise UnavailableError(f"{checkpoint}: the student cannot be loaded: {error}") from error
    return model, load_tokenizer(checkpoint)


def load_tokenizer(checkpoint: Path) -> "PreTrainedTokenizerFast":
    """Load the tokenizer alone, without remote code."""
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(checkpoint, trust_remote_code=False, local_files_only=True)
    except (OSError, ValueError) as error:
        raise UnavailableError(f"{checkpoint}: the student cannot be loaded: {error}") from error


def save(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerFast", folder: Path) -> None:
    """Write a checkpoint."""
    model.save_pretrained(folder, safe_serialization=True)
    tokenizer.save_pretrained(folder)
