"""How large a model is, counted on a model that takes no memory: its numbers, and what a backward pass keeps.

The model is built from its `config.json` on torch's meta device, where tensors have shapes and no bytes, given its
adapter, and run forward once. What autograd keeps for the way back is added up as it is kept, so there is no formula
of layers that a new kind of model could break. The sums of Korthikanti et al. 2022, https://arxiv.org/abs/2205.05198
(section 4.1) count the same tensors on paper.
"""

import warnings
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch

from ..scenarios.student import Dtype
from .footprint import Counted
from .lora import Lora, attach

SHOWN = (2, 4)
"""Layers of the two models that are run; what a layer adds is the same from there on."""
ATTENTION = "evolvent_counted"
"""Name under which transformers finds the attention that is only counted."""


def count(folder: Path, *, dtype: Dtype, length: int, lora: Lora | None = None, recompute: bool = False) -> Counted:
    """Count a model and a row of training on it.

    Args:
        folder: has its `config.json`; weights are not read.
        dtype: what it computes in.
        length: tokens of the row, at least two.
        lora: the adapter that is trained; without one all weights are.
        recompute: whether a layer's forward pass is done again on the way back (gradient checkpointing).

    Raises:
        OSError, ValueError, RuntimeError: it cannot be built or run without its weights.
    """
    model, config = _build(folder, dtype)
    output = model.get_output_embeddings()
    linear = [m for m in model.modules() if isinstance(m, torch.nn.Linear) and m is not output]
    layers = int(config.num_hidden_layers)
    shown = [min(n, layers) for n in SHOWN]
    few, many = (_run(folder, n, dtype, length, lora, recompute=recompute) for n in shown)
    more = (layers - shown[1]) / (SHOWN[1] - SHOWN[0])
    parameters = sum(p.numel() for p in model.parameters())
    return Counted(
        parameters=parameters,
        trained=int(many.trained + more * (many.trained - few.trained)) if lora else parameters,
        linear=sum(layer.weight.numel() for layer in linear),
        kept=int(many.kept + more * (many.kept - few.kept) + (_layer(few, many, shown) if recompute else 0)),
        cached=_cached(config),
        vocabulary=int(config.vocab_size),
        longest=int(getattr(config, "max_position_embeddings", length)),
    )


class _Run(NamedTuple):
    """What a model with a few of its layers comes to."""

    trained: int
    kept: int
    """Bytes of a row, with layers computed again if they are."""
    once: int
    """Bytes of a row where no layer is computed again."""


def _run(folder: Path, layers: int, dtype: Dtype, length: int, lora: Lora | None, *, recompute: bool) -> _Run:
    """What the same model with so many layers trains, and keeps of a row."""
    model, config = _build(folder, dtype)
    stacks = [m for m in model.modules() if isinstance(m, torch.nn.ModuleList) and len(m) == config.num_hidden_layers]
    for stack in stacks[:1]:
        del stack[layers:]
        config.num_hidden_layers = layers
    if lora:
        model = attach(model, folder, lora)
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    once = kept(model.train(), length)
    return _Run(trained, _again(model, length, adapted=lora is not None) if recompute else once, once)


def _layer(few: _Run, many: _Run, shown: Sequence[int]) -> float:
    """Bytes of the one layer at a time that is whole again on the way back; at most that, in a model of two or less."""
    more = shown[1] - shown[0]
    return (many.once - few.once) / more if more else many.once / shown[1]


def kept(model: Any, length: int) -> int:
    """Bytes that autograd keeps of one row's forward pass and loss, weights left out.

    Args:
        model: in training mode, on any device.
        length: tokens of the row.
    """
    weights = {_name(p.untyped_storage()) for p in model.parameters()}
    # the storages are held, or one that was freed could be counted once more under the same name
    found: dict[int, Any] = {}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if _name(storage) not in weights:
            found[_name(storage)] = storage
        return tensor

    device = next(model.parameters()).device
    ids_RT = torch.zeros(1, length, dtype=torch.long, device=device)
    # mask and positions are given: looking for them in the ids would need values
    mask = torch.ones(1, 1, length, length, dtype=torch.bool, device=device)
    places = torch.arange(length, device=device)[None]
    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        said = model(input_ids=ids_RT, labels=ids_RT, attention_mask=mask, position_ids=places, use_cache=False)
    del said
    return sum(storage.nbytes() for storage in found.values())


def _name(storage: torch.UntypedStorage) -> int:
    """What tells a storage from others; without bytes they have no address."""
    return int(storage._cdata)  # pyright: ignore[reportPrivateUsage] -- nothing else names the storage itself


def _again(model: Any, length: int, *, adapted: bool) -> int:
    """Bytes kept where layers keep their inputs alone."""
    model.gradient_checkpointing_enable()
    if adapted:
        model.enable_input_require_grads()
    return kept(model, length)


def _build(folder: Path, dtype: Dtype) -> tuple[Any, Any]:
    from transformers import AttentionInterface, AutoConfig, AutoModelForCausalLM

    AttentionInterface.register(ATTENTION, _attend)
    config: Any = AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    with torch.device("meta"), _unwarned():
        model: Any = AutoModelForCausalLM.from_config(
            config, dtype=getattr(torch, dtype), attn_implementation=ATTENTION, trust_remote_code=False
        )
    return model, config.get_text_config()


@contextmanager
def _unwarned() -> Generator[None]:
    """Nothing is initialised on a device without bytes, and nobody needs to hear of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class _Attention(torch.autograd.Function):
    """Keeps what attention in blocks keeps: queries, keys, values, the result, and a number for each of its rows.

    Source: Dao et al. 2022, https://arxiv.org/abs/2205.14135. Without it the meta device would count every weight of
    attention, which no kernel for a GPU keeps.
    """

    @staticmethod
    def forward(ctx: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        """Give a tensor of the result's shape: batch, heads, tokens, width of a value."""
        made = query.new_empty(*query.shape[:-1], value.shape[-1])
        ctx.save_for_backward(query, key, value, made, query.new_empty(query.shape[:-1], dtype=torch.float32))
        return made

    @staticmethod
    def backward(ctx: Any, *_: Any) -> Any:
        """Refuse: what is kept for it is counted, and nothing goes backward on the meta device."""
        raise NotImplementedError("activations are counted by a forward pass alone")


def _attend(module: Any, query: Any, key: Any, value: Any, *_: Any, **__: Any) -> tuple[Any, None]:
    """Attention as transformers calls it; several heads of queries may share one of keys and values."""
    shared = query.shape[1] // key.shape[1]
    wide = (key.repeat_interleave(shared, 1), value.repeat_interleave(shared, 1)) if shared > 1 else (key, value)
    return _Attention.apply(query, *wide).transpose(1, 2).contiguous(), None


def _cached(config: Any) -> int:
    """Keys and values of one token, as Kwon et al. 2023, https://arxiv.org/abs/2309.06180 (section 3.1) count them."""
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return 2 * int(config.num_hidden_layers) * int(heads) * int(width)
