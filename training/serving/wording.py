"""Text as the student's own tokenizer and chat template put it, so that a server gets what this process would see."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...memory.inference import Message
from ..checkpoint import load_tokenizer


class Wording:
    """Turns text into token ids and back."""

    def __init__(self, folder: Path) -> None:
        self._tokenizer: Any = load_tokenizer(folder)

    @property
    def end(self) -> int:
        """Token that ends an answer."""
        return int(self._tokenizer.eos_token_id)

    def prompt(self, conversation: Sequence[Message]) -> list[int]:
        """Token ids of a conversation, ready for the answer."""
        return list(self._tokenizer.apply_chat_template(conversation, add_generation_prompt=True)["input_ids"])

    def answer(self, text: str) -> list[int]:
        """Token ids of an answer with its end."""
        return [*self._tokenizer(text, add_special_tokens=False)["input_ids"], self.end]

    def text(self, tokens: list[int]) -> str:
        """What tokens say, without special ones."""
        return str(self._tokenizer.decode(tokens, skip_special_tokens=True))
