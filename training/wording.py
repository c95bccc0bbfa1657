"""How a conversation becomes token ids and tokens become an answer: one home for every engine, training and the exam.

A question is rendered with the student's own chat template, and its answer is what a finished turn adds to that. The
two are turned into tokens apart, as they are when the student answers, up to the token that ends the turn.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from ..memory.errors import EvolventError, ScenarioError
from ..memory.inference import Completion, Message
from ..memory.talk import Question, Talk, call_turn, called, reply, spell, tools_of
from . import checkpoint
from .calling import KNOWN, PROBE, Calling, learn
from .manner import Manner

Tools = Sequence[Mapping[str, Any]]
"""JSON schemas of the functions that may be called."""
UNBOUNDED = 1 << 30
"""Positions of a student whose configuration names no limit."""
SHOWN = 80
"""Characters of a rendered conversation in a message."""


class Turn(NamedTuple):
    """A question and its answer as token ids."""

    prompt: list[int]
    answer: list[int]
    """With the token that ends it."""


class Wording:
    """Turns text into token ids and back."""

    def __init__(
        self, tokenizer: Any, manner: Manner | None = None, *, ends: Sequence[int] = (), positions: int = UNBOUNDED
    ) -> None:
        """Speak to a student.

        Args:
            tokenizer: with a chat template.
            manner: how it is spoken to.
            ends: tokens that end an answer, beside the tokenizer's own.
            positions: tokens that the student can tell apart.
        """
        self.tokenizer = tokenizer
        self.manner = manner or Manner()
        self.positions = positions
        named = {token.content: int(i) for i, token in tokenizer.added_tokens_decoder.items()}
        tokens = [named[stop] for stop in self.manner.stop if stop in named]
        self.ends = tuple(dict.fromkeys([int(tokenizer.eos_token_id), *ends, *tokens]))
        """Tokens that end an answer."""
        self.stops = tuple(stop for stop in self.manner.stop if stop not in named)
        """Texts that end an answer."""

    @classmethod
    def read(cls, folder: Path, *, manner: Manner | None = None, tokenizer: Any = None) -> "Wording":
        """Speak to the student of a checkpoint.

        Args:
            folder: the checkpoint, an adapter as well.
            manner: how, where the checkpoint does not say.
            tokenizer: the checkpoint's, where it was loaded already.
        """
        base = checkpoint.base(folder)
        config, generation = _json(base / "config.json"), _json(base / "generation_config.json")
        ends = generation.get("eos_token_id")
        return cls(
            tokenizer if tokenizer is not None else checkpoint.load_tokenizer(base),
            manner or Manner.read(base),
            ends=ends if isinstance(ends, list) else [] if ends is None else [int(ends)],
            positions=int(config.get("max_position_embeddings") or config.get("n_positions") or UNBOUNDED),
        )

    @property
    def forced(self) -> bool:
        """Whether an answer can be examined token by token: it has one spelling, and nothing stands around it."""
        model = getattr(getattr(self.tokenizer, "backend_tokenizer", None), "model", None)
        return type(model).__name__ == "WordLevel" and not self.stops and self.manner.reasoning is None

    def dated(self) -> bool:
        """Whether the template writes the time of day or the date into a question."""
        asked = self._asked("1+1")
        return self._render([asked], [()], ask=True) != self._render([asked], [()], ask=True, strftime_now=str)

    def opening(self, question: Question) -> dict[str, Any]:
        """A question as TRL's trainers take it: its turns and tools, and more arguments for the template."""
        more = {"chat_template_kwargs": dict(self.manner.template)} if self.manner.template else {}
        # as JSON, since schemas of different tools share no columns
        tools = {"tools": json.dumps(tools_of(question))} if tools_of(question) else {}
        return {"prompt": self._asked(question), **tools, **more}

    def prompt(self, conversation: Sequence[Message], tools: Tools = ()) -> list[int]:
        """Token ids of a conversation, ready for the answer."""
        return self._ids(self._render([self._turns(conversation)], [tools], ask=True))[0]

    def text(self, question: Question) -> str:
        """A question as the student gets it, ready for the answer."""
        return self._render([self._asked(question)], [tools_of(question)], ask=True)[0]

    def room(self, prompt: Sequence[int], longest: int) -> int:
        """Tokens that an answer may have: as many as wanted, where the student has positions for them."""
        return max(0, min(longest, self.positions - len(prompt)))

    def turns(self, pairs: Sequence[tuple[Question, str]]) -> list[Turn]:
        """Token ids of questions with their answers.

        Args:
            pairs: what is asked and what is answered.

        Raises:
            EvolventError: the template does not go on from the question as it is asked, or does not end the answer.
        """
        if not pairs:
            return []
        asked, tools = [self._asked(q) for q, _ in pairs], [tools_of(q) for q, _ in pairs]
        told = [[*a, reply(answer, t)] for a, t, (_, answer) in zip(asked, tools, pairs, strict=True)]
        prompts = self._render(asked, tools, ask=True)
        answers = [_rest(*both) for both in zip(prompts, self._render(told, tools, ask=False), strict=True)]
        found = zip(self._ids(prompts), self._ids(answers), strict=True)
        return [Turn(prompt, self._whole(answer)) for prompt, answer in found]

    def beginning(self, text: str) -> list[int]:
        """Token ids with which an answer begins that begins with a text.

        Raises:
            ValueError: the text is empty.
        """
        if not text:
            raise ValueError("a choice is empty; every answer begins with nothing")
        return self._ids([text])[0]

    def said(self, tokens: Sequence[int], tools: Tools = ()) -> Completion:
        """What a student said, its reasoning apart, as far as it said it before the end.

        Args:
            tokens: of the answer.
            tools: that it might call.
        """
        end = next((place for place, token in enumerate(tokens) if token in self.ends), None)
        own = list(tokens[:end])
        reasoning, text = self.part(self._text(own))
        cut = min((at for at in map(text.find, self.stops) if at >= 0), default=None)
        content, calls = self.calls(text[:cut], tools)
        return Completion(content, len(own), end is not None or cut is not None, reasoning=reasoning, calls=calls)

    def calls(self, text: str, tools: Tools) -> tuple[str, tuple[Message, ...]]:
        """Part an answer into what it says and the tools it calls."""
        found = self._calling.read(text) if tools and self._calling else None
        if found is None:
            return text, ()
        content, calls = found
        return content, tuple(call_turn(call, number) for number, call in enumerate(calls))

    def heard(self, text: str, tools: Tools) -> str:
        """The answer in what a student said, as the text that is judged."""
        content, calls = self.calls(self.part(text)[1], tools)
        return spell(content, called(calls) or ())

    def refusal(self, question: Question, answer: str) -> str | None:
        """Say why a conversation cannot be put to this student, or None."""
        if not isinstance(question, Talk):
            return None
        try:
            whole = self.text(question)
            self.turns([(question, answer)])
        except EvolventError as error:
            return str(error)
        if (lost := next((name for name in question.names if name not in whole), None)) is not None:
            return f"the student's chat template leaves tools away, such as {lost!r}; bring a model that calls tools"
        if question.tools and self._calling is None:
            return "the student's chat template writes calls of tools in no JSON, so they cannot be read back"
        return None

    @cached_property
    def heeds(self) -> tuple[str, ...]:
        """Fields of a request that its template decides about: `tools` where it shows them and calls can be read."""
        return ("tools",) if self.refusal(PROBE, spell("", [KNOWN])) is None else ()

    def lost(self, answer: str, part: str) -> str | None:
        """Say why a part of an answer would not be learned with it, or None."""
        try:
            (turn,) = self.turns([("1+1", answer)])
        except EvolventError as error:
            return str(error)
        whole = part in self.tokenizer.decode(turn.answer)
        return None if whole else f"the student's chat template leaves {part!r} out of a finished turn"

    def part(self, text: str) -> tuple[str, str]:
        """Reasoning and answer; a text that is still reasoning has no answer."""
        if self.manner.reasoning is None:
            return "", text
        begin, close = self.manner.reasoning
        thought, closed, answer = text.partition(close)
        if not closed and not text.lstrip().startswith(begin):
            return "", text
        return thought.strip().removeprefix(begin).strip(), answer.lstrip()

    def unreadable(self, text: str) -> str | None:
        """Give the first thing in a text that the student cannot tell from something else, or None."""
        marks = [*(mark for mark, special in self._marks().items() if special), *(self.manner.reasoning or ())]
        if (mark := next((mark for mark in marks if mark in text), None)) is not None:
            return mark
        unknown = self.tokenizer.unk_token_id
        if unknown is None or unknown not in self._ids([text])[0]:
            return None
        return next((c for c in text if unknown in self._ids([c])[0]), text)

    def length(self, question: Question, answer: str) -> int:
        """Tokens of a question with its answer."""
        return sum(map(len, self.turns([(question, answer)])[0]))

    def answer_length(self, question: Question, answer: str) -> int:
        """Tokens that an answer takes."""
        return len(self.turns([(question, answer)])[0].answer if tools_of(question) else self._ids([answer])[0])

    @cached_property
    def _calling(self) -> Calling | None:
        """How it calls tools; None where its template has no way for it that is JSON."""

        def written(question: Question, answer: str) -> str:
            return self.part(self._text(self.turns([(question, answer)])[0].answer[:-1]))[1]

        try:
            return learn(written)
        except EvolventError:
            return None

    def _asked(self, question: Question) -> list[Message]:
        if isinstance(question, Talk):
            return self._turns(question.messages)
        return self._turns([{"role": "user", "content": question}])

    def _turns(self, conversation: Sequence[Message]) -> list[Message]:
        told = self.manner.system and not any(turn["role"] == "system" for turn in conversation)
        return [{"role": "system", "content": self.manner.system}, *conversation] if told else [*conversation]

    def _render(
        self, conversations: Sequence[Sequence[Message]], tools: Sequence[Tools], *, ask: bool, **more: Any
    ) -> list[str]:
        from jinja2 import TemplateError

        how = {"tokenize": False, "add_generation_prompt": ask, **self.manner.template, **more}
        try:
            if not any(tools):
                return self.tokenizer.apply_chat_template(conversations, **how)
            apply = self.tokenizer.apply_chat_template
            return [apply(c, tools=[*t] or None, **how) for c, t in zip(conversations, tools, strict=True)]
        except (TemplateError, TypeError) as error:
            raise EvolventError(
                f"the student's chat template refuses a conversation ({error}); leave student.system away where it "
                "knows none, and set in student.template what it asks for"
            ) from error

    def _ids(self, texts: Sequence[str]) -> list[list[int]]:
        return self.tokenizer(list(texts), add_special_tokens=False)["input_ids"]

    def _whole(self, answer: list[int]) -> list[int]:
        """An answer up to its end: what a template writes after that is never said."""
        end = next((place for place, token in enumerate(answer) if token in self.ends), None)
        if end is None:
            known = ", ".join(repr(self.tokenizer.convert_ids_to_tokens(i)) for i in self.ends)
            text = self.tokenizer.decode(answer)
            raise EvolventError(
                f"the chat template ends a turn with {text[-SHOWN:]!r}, and only {known} ends an answer; "
                "name the token that does in student.stop"
            )
        return answer[: end + 1]

    def _text(self, tokens: list[int]) -> str:
        if self.manner.reasoning is None:
            return str(self.tokenizer.decode(tokens, skip_special_tokens=True))
        # the marks of the reasoning may be special tokens themselves
        text = str(self.tokenizer.decode(tokens))
        for mark, special in self._marks().items():
            text = text.replace(mark, "") if special and mark not in self.manner.reasoning else text
        return text

    def _marks(self) -> Mapping[str, bool]:
        """Texts that are tokens of their own, and whether they are special."""
        return {token.content: token.special for token in self.tokenizer.added_tokens_decoder.values()}


def fit(wording: Wording) -> None:
    """See that a student can be spoken to and taught.

    Raises:
        ScenarioError: it has no chat template, or one that training and answering would understand differently.
    """
    if not wording.tokenizer.chat_template:
        raise ScenarioError(
            "its tokenizer has no chat template, so it is no model to talk to; take its instruct version, or put a "
            "chat_template.jinja into its folder"
        )
    try:
        wording.turns([("1+1", "2")])
        dated = wording.dated()
    except EvolventError as error:
        raise ScenarioError(str(error)) from error
    if dated:
        raise ScenarioError(
            "its chat template writes today's date into every question, so that a session would ask otherwise "
            "tomorrow; fix it in student.template, such as { date_string = '26 Jul 2024' }, or set a student.system"
        )


def _rest(prompt: str, whole: str) -> str:
    """What a finished turn adds to the question."""
    if not whole.startswith(prompt):
        place = next((i for i, (a, b) in enumerate(zip(prompt, whole, strict=False)) if a != b), len(whole))
        raise EvolventError(
            f"the chat template asks with {prompt[place:][:SHOWN]!r} where a finished turn has "
            f"{whole[place:][:SHOWN]!r}, so the student would learn what it is never asked; choose student.template so "
            "that both agree, such as { enable_thinking = false }"
        )
    return whole[len(prompt) :]


def _json(path: Path) -> dict[str, Any]:
    """Values of a file of a model that may be missing."""
    try:
        value = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
