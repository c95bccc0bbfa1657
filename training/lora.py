"""A LoRA adapter beside frozen weights (arXiv:2106.09685), of a form that vLLM serves."""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ..memory.errors import PartError

if TYPE_CHECKING:
    from peft import PeftModel

ALL = "all-linear"
"""Every linear layer but the output layer."""
WHOLE = ("lm_head", "embed_tokens")
"""Layers that vLLM takes no adapter for."""
QUANTIZER = "bitsandbytes"
"""What computes with weights of 4 bits."""
OWN = "default"
"""What the adapter in training is called; a trainer may keep a frozen copy beside it."""


class Lora(BaseModel):
    """Rank, scale and place of an adapter. There is no DoRA and nothing is trained in full: vLLM serves neither."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    rank: Literal[1, 8, 16, 32, 64, 128, 256, 320, 512] = 16
    """Width of the adapter; vLLM takes these alone."""
    alpha: float = Field(default=32.0, gt=0, allow_inf_nan=False)
    """Scale: the adapter's part is multiplied by alpha / rank."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Share of the adapter's inputs that a training step leaves out."""
    targets: Literal["all-linear"] | tuple[str, ...] = ALL
    """Names of the layers that get one, such as `q_proj`."""

    quantization: Literal["", "nf4"] = Field(default="", exclude_if=lambda value: not value)
    """`nf4` holds the frozen weights in 4 bits while a round trains (QLoRA, arXiv:2305.14314); needs bitsandbytes."""

    @field_validator("quantization")
    @classmethod
    def _installed(cls, quantization: str) -> str:
        if quantization and find_spec(QUANTIZER) is None:
            raise ValueError(
                f"{quantization!r} needs {QUANTIZER}, which is not installed; try: pip install 'evolvent[qlora]'"
            )
        return quantization

    @field_validator("targets")
    @classmethod
    def _served(cls, targets: str | tuple[str, ...]) -> str | tuple[str, ...]:
        whole = [name for name in targets if name in WHOLE] if isinstance(targets, tuple) else []
        if whole or not targets:
            named = repr(whole[0]) if whole else "nothing"
            raise ValueError(f"{named} cannot have an adapter that vLLM serves; name layers such as 'q_proj'")
        return targets


def room_for(rank: int) -> Lora:
    """The smallest adapter, as it is by default, that has at least a rank."""
    ranks: tuple[int, ...] = get_args(Lora.model_fields["rank"].annotation)
    return Lora.model_validate({"rank": min(r for r in ranks if r >= rank)})


def attach(model: Any, start: Path, lora: Lora | None) -> Any:
    """Give what is trained: the model whole, a fresh adapter on it, or the adapter it has already.

    Args:
        model: as `checkpoint.load` gives it.
        start: the checkpoint it came from; a fresh adapter names it as its base.
        lora: the adapter wanted; without one an adapter that is there becomes part of the weights.

    Raises:
        PartError: the layers do not exist, or the adapter to go on with has another rank.
    """
    from peft import PeftModel

    if isinstance(model, PeftModel):
        return _resume(model, start, lora) if lora else model.merge_and_unload()
    return _begin(model, start, lora) if lora else model


def _begin(model: Any, start: Path, lora: Lora) -> "PeftModel":
    from peft import LoraConfig, PeftModel, get_peft_model

    wanted = LoraConfig(
        task_type="CAUSAL_LM",
        r=lora.rank,
        lora_alpha=lora.alpha,  # pyright: ignore[reportArgumentType] -- peft only divides by it
        lora_dropout=lora.dropout,
        target_modules=lora.targets if isinstance(lora.targets, str) else list(lora.targets),
    )
    try:
        adapted = get_peft_model(model, wanted)
    except ValueError as error:
        raise PartError(f"{start}: no adapter fits on {lora.targets!r}: {error}") from error
    assert isinstance(adapted, PeftModel)
    adapted.peft_config[OWN].base_model_name_or_path = str(start.resolve())
    return adapted


def _resume(model: "PeftModel", start: Path, lora: Lora) -> "PeftModel":
    rank = int(getattr(model.peft_config[OWN], "r", 0))
    if rank != lora.rank:
        raise PartError(f"{start}: its adapter has rank {rank} and cannot go on with {lora.rank}; train from base")
    for name, weight in model.named_parameters():
        weight.requires_grad_("lora_" in name)
    return model
