"""A checkpoint is a folder of safetensors, full weights or an adapter on some; its digest names the student."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..memory.errors import UnavailableError
from ..memory.files import file_digest

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

WEIGHTS = "model.safetensors"
ADAPTER = "adapter_config.json"
TENSORS = "adapter_model.safetensors"


def identify(checkpoint: Path) -> str:
    """Sixteen hexadecimal digits of the sha256 of the weights, of an adapter alone where it is one."""
    path = checkpoint / (TENSORS if adapted(checkpoint) else WEIGHTS)
    if not path.is_file():
        raise UnavailableError(f"{checkpoint}: no {path.name}; a student is a folder of safetensors")
    return file_digest(path)[:16]


def adapted(checkpoint: Path) -> bool:
    """Whether it is an adapter; its configuration names the weights it lies on."""
    return (checkpoint / ADAPTER).is_file()


def load(checkpoint: Path) -> "tuple[PreTrainedModel, PreTrainedTokenizerFast]":
    """Load model and tokenizer: safetensors only, no remote code, full precision; an adapter on its base, frozen."""
    if not adapted(checkpoint):
        return _load_weights(checkpoint), load_tokenizer(checkpoint)
    base = _base(checkpoint)
    from peft import PeftModel

    model: Any = PeftModel.from_pretrained(_load_weights(base), str(checkpoint))
    return model, load_tokenizer(checkpoint if (checkpoint / "tokenizer_config.json").is_file() else base)


def load_tokenizer(checkpoint: Path) -> "PreTrainedTokenizerFast":
    """Load the tokenizer alone, without remote code."""
    from transformers import AutoTokenizer

    _require(checkpoint)
    try:
        return AutoTokenizer.from_pretrained(checkpoint, trust_remote_code=False, local_files_only=True)
    except (OSError, ValueError) as error:
        raise UnavailableError(_damaged(checkpoint, error)) from error


def save(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerFast", folder: Path) -> None:
    """Write a checkpoint: all weights, or the adapter alone where the model is one on frozen weights."""
    from peft import PeftModel

    if isinstance(model, PeftModel):
        model.save_pretrained(str(folder), selected_adapters=["default"], save_embedding_layers=False)
    else:
        model.save_pretrained(folder, safe_serialization=True)
    tokenizer.save_pretrained(folder)


def _load_weights(checkpoint: Path) -> "PreTrainedModel":
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM

    _require(checkpoint)
    try:
        return AutoModelForCausalLM.from_pretrained(
            checkpoint, dtype=torch.float32, use_safetensors=True, trust_remote_code=False, local_files_only=True
        )
    except (OSError, ValueError, SafetensorError) as error:
        raise UnavailableError(_damaged(checkpoint, error)) from error


def _require(checkpoint: Path) -> None:
    """Refuse what is no folder before Hugging Face takes it for a name on its hub."""
    if not checkpoint.is_dir():
        raise UnavailableError(f"{checkpoint}: no such folder; a student is a folder of safetensors")


def _damaged(checkpoint: Path, error: Exception) -> str:
    reason = " ".join(str(error).split())
    return f"{checkpoint}: the student cannot be loaded ({reason}); restore the folder from a copy"


def _base(checkpoint: Path) -> Path:
    """Folder of the weights an adapter lies on."""
    try:
        base = Path(json.loads((checkpoint / ADAPTER).read_text())["base_model_name_or_path"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnavailableError(f"{checkpoint / ADAPTER}: cannot be read ({error}); train the adapter again") from None
    if not (base / WEIGHTS).is_file():
        raise UnavailableError(f"{checkpoint / ADAPTER}: base_model_name_or_path {str(base)!r} holds no {WEIGHTS}")
    return base
