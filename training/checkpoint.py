"""A checkpoint is a folder of safetensors, full weights or an adapter on some; its digest names the student.

Full weights lie in one file or in several with an index. How the student is spoken to lies beside them (`manner.py`).
"""

import json
import os
import shutil
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ..memory.errors import UnavailableError
from ..memory.files import COMPLETE, digest, file_digest, removed
from .manner import Manner, carry

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
ADAPTER = "adapter_config.json"
TENSORS = "adapter_model.safetensors"
HEADER = 8
"""Bytes that say how long the header of a file of safetensors is."""
MARKS = (COMPLETE, ".effect")
"""Files that say whose a folder is, and are no part of the student."""


def identify(checkpoint: Path) -> str:
    """Sixteen hexadecimal digits of the sha256 of the weights, of an adapter alone where it is one."""
    if adapted(checkpoint):
        return _digest(checkpoint / TENSORS)
    shards = weights(checkpoint)
    return _digest(shards[0]) if len(shards) == 1 else digest([[path.name, _digest(path)] for path in shards])


def weights(checkpoint: Path) -> list[Path]:
    """Files of full weights, in the order of their names.

    Raises:
        UnavailableError: there are none, or an index that cannot be followed.
    """
    if (checkpoint / WEIGHTS).is_file():
        return [checkpoint / WEIGHTS]
    if not (checkpoint / INDEX).is_file():
        raise UnavailableError(_lacking(checkpoint, WEIGHTS))
    names = sorted(set(_shards(checkpoint).values()))
    if strange := [n for n in names if Path(n).name != n or not (checkpoint / n).is_file()]:
        raise UnavailableError(f"{checkpoint / INDEX}: names {strange[0]!r}, which is no file there; copy it whole")
    return [checkpoint / name for name in names]


def tensors(checkpoint: Path) -> dict[str, tuple[int, ...]]:
    """Shapes of the full weights by name, read without loading them; of a file that is no safetensors none."""
    return {name: shape for path in weights(checkpoint) for name, shape in _shapes(path).items()}


def size(checkpoint: Path) -> int:
    """Numbers in the full weights."""
    return sum(prod(shape) for shape in tensors(checkpoint).values())


def trained(checkpoint: Path) -> int:
    """Numbers that training changed: those of an adapter, where it is one; at least 1."""
    shapes = _shapes(checkpoint / TENSORS) if adapted(checkpoint) else tensors(checkpoint)
    return max(1, sum(prod(shape) for shape in shapes.values()))


def files_of(checkpoint: Path) -> list[str]:
    """Names of its files of weights, full or of an adapter."""
    return [path.name for path in ([checkpoint / TENSORS] if adapted(checkpoint) else weights(checkpoint))]


def removed_from(checkpoint: Path) -> bool:
    """Whether its weights were removed to save disk; what else was in its folder is still there."""
    return any(Path(name).parent.name == checkpoint.name for name in removed(checkpoint.parent))


def adapted(checkpoint: Path) -> bool:
    """Whether it is an adapter; its configuration names the weights it lies on."""
    return (checkpoint / ADAPTER).is_file()


def base(checkpoint: Path) -> Path:
    """Folder of the full weights: its own, or those an adapter lies on."""
    return _base(checkpoint) if adapted(checkpoint) else checkpoint


def load(
    checkpoint: Path, *, exact: bool = False, quantized_on: str = ""
) -> "tuple[PreTrainedModel, PreTrainedTokenizerFast]":
    """Load model and tokenizer: safetensors only, no remote code; an adapter on its base, frozen.

    Args:
        checkpoint: its folder.
        exact: in full precision, whatever the student computes in.
        quantized_on: device to hold the linear layers on in 4 bits; empty for weights as they are, in main memory.
    """
    base = _base(checkpoint) if adapted(checkpoint) else checkpoint
    weights = _load_weights(base, exact=exact, quantized_on=quantized_on)
    if base == checkpoint:
        return weights, load_tokenizer(checkpoint)
    from peft import PeftModel

    model: Any = PeftModel.from_pretrained(weights, str(checkpoint))
    return model, load_tokenizer(checkpoint if (checkpoint / "tokenizer_config.json").is_file() else base)


def load_tokenizer(checkpoint: Path) -> "PreTrainedTokenizerFast":
    """Load the tokenizer alone, without remote code; one without a token to pad with pads with its last one."""
    from transformers import AutoTokenizer

    _require(checkpoint)
    try:
        tokenizer = AutoTokenizer.from_pretrained(checkpoint, trust_remote_code=False, local_files_only=True)
    except (OSError, ValueError) as error:
        raise UnavailableError(_damaged(checkpoint, error)) from error
    if tokenizer.eos_token_id is None:
        raise UnavailableError(f"{checkpoint}: the tokenizer has no eos_token, so no answer would end; name one there")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def save(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerFast",
    folder: Path,
    *,
    start: Path | None = None,
    state: "dict[str, Any] | None" = None,
) -> None:
    """Write a checkpoint: all weights, or the adapter alone where the model is one on frozen weights.

    Args:
        model: what was trained.
        tokenizer: the student's.
        folder: where to.
        start: the checkpoint it came from, whose manner and tokenizer a student that somebody brought keeps.
        state: the weights by name, where the model itself holds only a part of them.
    """
    from peft import PeftModel

    if isinstance(model, PeftModel):
        model.save_pretrained(str(folder), selected_adapters=["default"], save_embedding_layers=False, state_dict=state)
    else:
        model.save_pretrained(folder, safe_serialization=True, state_dict=state)
        if start is not None and carry(base(start), folder):
            return
    tokenizer.save_pretrained(folder)


def copy(checkpoint: Path, folder: Path) -> None:
    """Put a student into a folder of its own: by links to the same bytes where it can be, an adapter merged.

    An adapter names the folder of its weights, so a copy of it would be whole only as long as that one stays.
    """
    if adapted(checkpoint):
        model, tokenizer = load(checkpoint)
        save(cast("Any", model).merge_and_unload(), tokenizer, folder, start=checkpoint)
    else:
        own = shutil.ignore_patterns(*MARKS)
        shutil.copytree(checkpoint, folder, copy_function=_link, ignore=own, dirs_exist_ok=True)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        # another disk, or one without links
        shutil.copy2(source, target)


def _shapes(path: Path) -> dict[str, tuple[int, ...]]:
    with path.open("rb") as file:
        size = int.from_bytes(file.read(HEADER), "little")
        try:
            header = json.loads(file.read(size)) if size <= path.stat().st_size else {}
        except ValueError:
            header = {}
    return {name: tuple(entry["shape"]) for name, entry in header.items() if "shape" in entry}


def _load_weights(checkpoint: Path, *, exact: bool, quantized_on: str = "") -> "PreTrainedModel":
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM

    _require(checkpoint)
    weights(checkpoint)
    dtype = torch.bfloat16 if Manner.read(checkpoint).dtype == "bfloat16" and not exact else torch.float32
    try:
        return AutoModelForCausalLM.from_pretrained(
            checkpoint,
            dtype=dtype,
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
            **(_four_bits(quantized_on, dtype) if quantized_on else {}),
        )
    except (OSError, ValueError, SafetensorError) as error:
        raise UnavailableError(_damaged(checkpoint, error)) from error


def _four_bits(device: str, dtype: Any) -> dict[str, Any]:
    """How transformers loads weights in 4 bits: NormalFloat, its scales quantised as well (arXiv:2305.14314)."""
    from transformers import BitsAndBytesConfig

    how = BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=dtype
    )
    return {"quantization_config": how, "device_map": {"": 0 if device == "cuda" else device}}


def _require(checkpoint: Path) -> None:
    """Refuse what is no folder before Hugging Face takes it for a name on its hub."""
    if not checkpoint.is_dir():
        raise UnavailableError(f"{checkpoint}: no such folder; a student is a folder of safetensors")


def _damaged(checkpoint: Path, error: Exception) -> str:
    reason = " ".join(str(error).split())
    return f"{checkpoint}: the student cannot be loaded ({reason}); restore the folder from a copy"


def _lacking(checkpoint: Path, name: str) -> str:
    if removed_from(checkpoint):
        return (
            f"{checkpoint}: its weights were removed to save disk ([keep] checkpoints); its digest and exams are kept"
        )
    return f"{checkpoint}: no {name}; a student is a folder of safetensors"


def _base(checkpoint: Path) -> Path:
    """Folder of the weights an adapter lies on."""
    try:
        base = Path(json.loads((checkpoint / ADAPTER).read_text())["base_model_name_or_path"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnavailableError(f"{checkpoint / ADAPTER}: cannot be read ({error}); train the adapter again") from None
    if not any((base / name).is_file() for name in (WEIGHTS, INDEX)):
        raise UnavailableError(f"{checkpoint / ADAPTER}: base_model_name_or_path {str(base)!r} holds no {WEIGHTS}")
    return base


def _shards(checkpoint: Path) -> dict[str, str]:
    """File by name of a tensor."""
    try:
        return {
            str(name): str(file) for name, file in json.loads((checkpoint / INDEX).read_text())["weight_map"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnavailableError(f"{checkpoint / INDEX}: cannot be read ({error}); copy the model again") from None


def _digest(path: Path) -> str:
    if not path.is_file():
        raise UnavailableError(_lacking(path.parent, path.name))
    return file_digest(path)[:16]
