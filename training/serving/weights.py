"""What a checkpoint folder holds, as a server sees it: full weights, or a LoRA adapter on some."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from ...memory.errors import UnavailableError
from ...memory.files import digest, file_digest
from ..checkpoint import ADAPTER, TENSORS, identify, tensors

IDLE = frozenset(
    {
        "_name_or_path", "architectures", "bos_token_id", "dtype", "eos_token_id", "pad_token_id", "torch_dtype",
        "transformers_version", "use_cache",
    }
)  # fmt: skip
"""Entries of a model's configuration that the answers of a server do not depend on."""


OUTPUT = "lm_head.weight"
"""What the output layer is called where it is stored."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A checkpoint that can be served."""

    path: Path
    """Its folder, absolute."""
    digest: str
    """Names the student."""
    base: Path
    """Folder of the full weights: its own, or those an adapter was trained on."""
    base_digest: str
    """Names the full weights."""
    shape: str
    """Digest of everything but the weights: a server swaps weights of one shape in place."""
    rank: int = 0
    """Rank of the adapter; 0 for full weights."""
    tied: bool = False
    """Whether the output layer of the full weights is their embedding."""


def read(checkpoint: Path) -> Weights:
    """Look at a checkpoint without loading it.

    Raises:
        UnavailableError: it is no folder of safetensors, or an adapter without its base.
    """
    path = checkpoint.resolve()
    if (path / ADAPTER).is_file():
        return _read_adapter(path)
    named = identify(path)
    return Weights(path, named, path, named, _shape(path), tied=_tied(path))


def head_size(weights: Weights) -> int:
    """Width of an attention head."""
    config = _json(weights.base / "config.json")
    return int(config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"])


def _read_adapter(path: Path) -> Weights:
    config = _json(path / ADAPTER)
    base = Path(str(config.get("base_model_name_or_path") or ""))
    if not (base / "config.json").is_file():
        raise UnavailableError(f"{path / ADAPTER}: base_model_name_or_path {str(base)!r} is no folder with a student")
    if not (path / TENSORS).is_file():
        raise UnavailableError(f"{path}: no {TENSORS}; an adapter is a folder of safetensors")
    base = base.resolve()
    named = file_digest(path / TENSORS)[:16]
    return Weights(path, named, base, identify(base), _shape(base), int(config["r"]), _tied(base))


def _shape(path: Path) -> str:
    config = {k: v for k, v in _json(path / "config.json").items() if k not in IDLE}
    return digest([config, file_digest(path / "tokenizer.json")])


def _tied(path: Path) -> bool:
    """Whether the output layer is the embedding, by the configuration or, where that is silent, by what is stored."""
    said = _json(path / "config.json").get("tie_word_embeddings")
    if isinstance(said, bool):
        return said
    stored = tensors(path)
    return bool(stored) and OUTPUT not in stored


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise UnavailableError(f"{path}: cannot be read ({error}); a student is a folder of safetensors") from None
    if not isinstance(value, dict):
        raise UnavailableError(f"{path}: holds no JSON object; a student is a folder of safetensors")
    return cast("dict[str, Any]", value)
