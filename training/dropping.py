"""Dropout while a student trains, for data that comes by many times.

Of what is known against overfitting on repeated data dropout alone helped large models (Xue et al. 2023,
arXiv:2305.13230). Small students of this project got worse with it, on repeated data as on fresh (`evolvent bench
repetition`), so it is off unless it is asked for. The configuration of a Llama offers it for the weights of attention
only; what attention and feed-forward blocks add to the residual stream is dropped here too, as in the models of that
study. The checkpoint says nothing of it.
"""

from typing import Any

ADDING = ("self_attn", "mlp")
"""Blocks of a decoder layer whose output is added to the residual stream."""


def drop(model: Any, share: float) -> None:
    """Let a model drop a share of its attention weights and of what its blocks add, whenever it trains.

    Args:
        model: a decoder, as transformers has them; one without such blocks drops attention weights alone.
        share: in [0, 1); 0 leaves the model as it is.
    """
    if not share:
        return
    for name, module in model.named_modules():
        # each attention module keeps a copy of the configuration's number, which stays as it is
        if hasattr(module, "attention_dropout"):
            module.attention_dropout = share
        if name.rpartition(".")[2] in ADDING:
            module.register_forward_hook(_Dropping(share))


class _Dropping:
    """A hook that drops from what a block gives."""

    def __init__(self, share: float) -> None:
        self.share = share

    def __call__(self, module: Any, inputs: Any, output: Any) -> Any:
        from torch.nn.functional import dropout

        del inputs
        if not module.training:
            return output
        first, *more = output if isinstance(output, tuple) else (output,)
        made = dropout(first, self.share)
        return (made, *more) if more else made
