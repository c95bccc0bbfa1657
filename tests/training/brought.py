"""Builders: small models in the form in which people have them."""

from pathlib import Path
from typing import Any

from evolvent.scenarios.student import Student
from evolvent.training import checkpoint
from evolvent.training.manner import Manner

LINES = ["What is 12+34? The answer is 46.", "You add numbers.", "system user assistant think", "0123456789+-*="]
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n"
    "{% if m.role == 'assistant' and loop.last and enable_thinking is defined and not enable_thinking %}"
    "<think>\n\n</think>\n\n{% endif %}"
    "{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)
"""As Qwen3 has it: without thinking the question ends with empty thoughts, and so does a finished turn."""
FORGETFUL = CHATML.replace("and loop.last and enable_thinking is defined and not enable_thinking", "and false")
"""A finished turn has no thoughts, whatever the question ended with."""
MARKS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")


def make_tokenizer(*, template: str | None = CHATML, eos: str = "<|im_end|>", pad: str | None = None) -> Any:
    """Bytes and a few merges, trained on a few lines."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer: Any = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        LINES, trainers.BpeTrainer(vocab_size=300, initial_alphabet=alphabet, show_progress=False)
    )
    tokenizer.add_special_tokens([AddedToken(mark, special=True, normalized=False) for mark in MARKS])
    tokenizer.add_tokens([AddedToken(mark, normalized=False) for mark in ("<think>", "</think>")])
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=eos, pad_token=pad)
    fast.chat_template = template
    return fast


def make_model(
    folder: Path, *, kind: str = "qwen2", tied: bool = False, seed: int = 0, shard: str = "5GB", layers: int = 2,
    positions: int = 128, **tokenizing: Any
) -> Path:  # fmt: skip
    """Write an untrained model of two layers; its tokenizer has no token to pad with unless told."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, GenerationConfig

    tokenizer = make_tokenizer(**tokenizing)
    torch.manual_seed(seed)
    config: Any = AutoConfig.for_model(
        kind, vocab_size=len(tokenizer), hidden_size=64, intermediate_size=128, num_hidden_layers=layers,
        num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=positions, tie_word_embeddings=tied,
        head_dim=32, initializer_range=0.06,
    )  # fmt: skip
    model = AutoModelForCausalLM.from_config(config)
    model.generation_config = GenerationConfig(
        eos_token_id=[tokenizer.convert_tokens_to_ids("<|im_end|>")],
        repetition_penalty=1.3, do_sample=True, temperature=0.7,
    )  # fmt: skip
    model.save_pretrained(folder, max_shard_size=shard)
    tokenizer.save_pretrained(folder)
    return folder


def adopt(model: Path, folder: Path, **settings: Any) -> Path:
    """Put a model where a session starts from it."""
    from evolvent.training.origin import place

    folder.mkdir()
    place(Student(model=str(model), **settings), folder)
    assert checkpoint.identify(folder) == checkpoint.identify(model)
    assert Manner.read(folder).system == settings.get("system", "")
    return folder
