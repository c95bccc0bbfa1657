"""A checkpoint is a folder of safetensors, full weights or an adapter on some; its digest names the student."""

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ..memory.errors import UnavailableError
from ..memory.files import COMPLETE, file_digest

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

WEIGHTS = "model.safetensors"
ADAPTER = "adapter_config.json"
TENSORS = "adapter_model.safetensors"
MARKS = (COMPLETE, ".effect")
"""Files that say whose a folder is, and are no part of the student."""


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

    try:
        return AutoTokenizer.from_pretrained(checkpoint, trust_remote_code=False, local_files_only=True)
    except (OSError, ValueError) as error:
        raise UnavailableError(f"{checkpoint}: the student cannot be loaded: {error}") from error


def save(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerFast", folder: Path) -> None:
    """Write a checkpoint: all weights, or the adapter alone where the model is one on frozen weights."""
    from peft import PeftModel

    if isinstance(model, PeftModel):
        model.save_pretrained(str(folder), selected_adapters=["default"], save_embedding_layers=False)
    else:
        model.save_pretrained(folder, safe_serialization=True)
    tokenizer.save_pretrained(folder)


def copy(checkpoint: Path, folder: Path) -> None:
    """Put a student into a folder of its own: by links to the same bytes where it can be, an adapter merged.

    An adapter names the folder of its weights, so a copy of it would be whole only as long as that one stays.
    """
    if adapted(checkpoint):
        model, tokenizer = load(checkpoint)
        save(cast("Any", model).merge_and_unload(), tokenizer, folder)
    else:
        own = shutil.ignore_patterns(*MARKS)
        shutil.copytree(checkpoint, folder, copy_function=_link, ignore=own, dirs_exist_ok=True)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        # another disk, or one without links
        shutil.copy2(source, target)


def _load_weights(checkpoint: Path) -> "PreTrainedModel":
    import torch
    from transformers import AutoModelForCausalLM

    try:
        return AutoModelForCausalLM.from_pretrained(
            checkpoint, dtype=torch.float32, use_safetensors=True, trust_remote_code=False, local_files_only=True
        )
    except (OSError, ValueError) as error:
        raise UnavailableError(f"{checkpoint}: the student cannot be loaded: {error}") from error


def _base(checkpoint: Path) -> Path:
    """Folder of the weights an adapter lies on."""
    try:
        base = Path(json.loads((checkpoint / ADAPTER).read_text())["base_model_name_or_path"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnavailableError(f"{checkpoint / ADAPTER}: cannot be read ({error}); train the adapter again") from None
    if not (base / WEIGHTS).is_file():
        raise UnavailableError(f"{checkpoint / ADAPTER}: base_model_name_or_path {str(base)!r} holds no {WEIGHTS}")
    return base
