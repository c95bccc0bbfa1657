"""SCAN: commands to sequences of actions, made by the grammar itself, so that no file is needed.

Skills are cut as the published splits are: by verbs (*add jump*) or by the number of actions (*length*). A student that
reads characters may have every word and every action as one character, since SCAN is about words and not about how
they are spelled; the code is one to one.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from random import Random
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ...memory.errors import PartError, suggest
from ...memory.parts import explain
from ...memory.records import Task
from ..commands import AFTER, AND, SIDES, TIMES, TURN, VERBS, WORDS, carry_out, commands
from ..source import Settings, Source

SHORT = {
    "walk": "w", "look": "k", "run": "r", "jump": "j", TURN: "t", "left": "<", "right": ">", "opposite": "o",
    "around": "a", "twice": "2", "thrice": "3", AND: "&", AFTER: "@",
}  # fmt: skip
"""Every word of SCAN as one character; an action has that of its word, in capitals."""


class Kind(BaseModel):
    """Which commands one skill has."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    having: tuple[str, ...] = ()
    """Words of which a command must have one, where any are named."""
    lacking: tuple[str, ...] = ()
    """Words that a command must not have."""
    words: tuple[int, int] = (1, 9)
    """Fewest and most words of a command."""
    actions: tuple[int, int] = (1, 48)
    """Fewest and most actions that it asks for."""
    besides: tuple[str, ...] = ()
    """Commands that belong to the skill whatever it says otherwise, such as `jump` alone in the *add jump* split."""

    def takes(self, command: "Command") -> bool:
        """Whether a command is one of these."""
        if command.text in self.besides:
            return True
        words = command.text.split()
        return (
            (not self.having or any(word in words for word in self.having))
            and not any(word in words for word in self.lacking)
            and self.words[0] <= len(words) <= self.words[1]
            and self.actions[0] <= len(command.actions) <= self.actions[1]
        )


class Command(NamedTuple):
    """One command."""

    text: str
    actions: tuple[str, ...]
    features: frozenset[str]


class Scan(Source):
    """Commands of SCAN's grammar."""

    spelling: Literal["words", "letters"] = "words"
    """How commands and actions are written: as published, or with one character each."""
    invented: tuple[str, ...] = Field(default=(), max_length=8)
    """Verbs beside SCAN's own four."""

    @field_validator("invented")
    @classmethod
    def _new_verbs(cls, invented: tuple[str, ...]) -> tuple[str, ...]:
        letters = [*SHORT.values()]
        for verb in invented:
            if not (verb.isascii() and verb.isalpha() and verb.islower()) or verb in (*WORDS, *VERBS):
                raise ValueError(f"invented verb {verb!r}; use small letters, and none of SCAN's own words")
            if verb[0] in letters:
                raise ValueError(f"invented verb {verb!r} begins like another word; its first letter must be its own")
            letters.append(verb[0])
        return invented

    @property
    def prose(self) -> bool:
        """Two commands may look alike without being the same."""
        return False

    def check(self, skill: str, settings: Settings) -> None:
        """Refuse settings that no command meets."""
        kind, known = self._kind(skill, settings), [*VERBS, *self.invented, *WORDS]
        for word in (*kind.having, *kind.lacking):
            if word not in known:
                raise PartError(f"skills.{skill}.task: no command has {word!r}{suggest(word, known)}")
        for command in kind.besides:
            if command not in self._all():
                raise PartError(f"skills.{skill}.task: besides {command!r} is no command of SCAN")
        if not self._mine(skill, settings):
            raise PartError(f"skills.{skill}.task: no command meets {dict(settings)!r}")

    def size(self, skill: str, settings: Settings) -> int:
        """Count the commands of a skill."""
        return len(self._mine(skill, settings))

    def draw(
        self,
        skill: str,
        settings: Settings,
        count: int,
        rng: Random,
        *,
        allowed: Callable[[str], bool],
        having: Sequence[str] = (),
        lacking: Sequence[str] = (),
    ) -> list[Task]:
        """Draw distinct commands by shuffling them."""
        mine, wanted, unwanted = self._mine(skill, settings), set(having), set(lacking)
        tasks: list[Task] = []
        for command in rng.sample(mine, len(mine)):
            if len(tasks) >= count:
                break
            if allowed(command.text) and wanted <= command.features and unwanted.isdisjoint(command.features):
                tasks.append(self._task(skill, command, self._say(command.actions)))
        return tasks

    def holds(self, key: str) -> bool:
        """Whether this is a command."""
        return key in self._all()

    def solve(self, task: Task) -> str | None:
        """Carry the command out word by word, from its prompt."""
        try:
            return self._say(carry_out(self._read(task.prompt)))
        except ValueError:
            return None

    def adopt(self, skill: str, settings: Settings, prompt: str, answer: str) -> Task:
        """Read a command that somebody else wrote; it must be written as `draw` writes it."""
        command = self._all().get(self._read(prompt))
        if command is None or not self._kind(skill, settings).takes(command) or self._write(command.text) != prompt:
            raise ValueError(f"{prompt[:80]!r} is no task of skill {skill!r}")
        return self._task(skill, command, answer)

    def _kind(self, skill: str, settings: Settings) -> Kind:
        try:
            return Kind.model_validate(dict(settings))
        except ValidationError as error:
            raise PartError(explain(error, where=f"skills.{skill}.task: source 'scan'", model=Kind)) from None

    def _mine(self, skill: str, settings: Settings) -> tuple[Command, ...]:
        # a frozen model has a hash, which its type does not tell
        return _taken(self._kind(skill, settings), self.invented)  # pyright: ignore[reportArgumentType]

    def _all(self) -> Mapping[str, Command]:
        return _known(self.invented)

    def _task(self, skill: str, command: Command, answer: str) -> Task:
        return Task(
            skill=skill,
            key=command.text,
            features=tuple(sorted(command.features)),
            prompt=self._write(command.text),
            answer=answer,
        )

    def _letters(self) -> Mapping[str, str]:
        return {**SHORT, **{verb: verb[0] for verb in self.invented}}

    def _write(self, command: str) -> str:
        """A command as it is asked."""
        if self.spelling == "words":
            return command
        letters = self._letters()
        return "".join(letters[word] for word in command.split())

    def _read(self, prompt: str) -> str:
        """A command as the grammar has it, or what is none."""
        if self.spelling == "words":
            return prompt
        words = {letter: word for word, letter in self._letters().items()}
        return " ".join(words.get(letter, letter) for letter in prompt)

    def _say(self, actions: Sequence[str]) -> str:
        """Actions as they are answered."""
        if self.spelling == "words":
            return " ".join(actions)
        letters = self._letters()
        return "".join(letters[action.rpartition("_")[2].lower()].upper() for action in actions)


@lru_cache(maxsize=8)
def _known(invented: tuple[str, ...]) -> Mapping[str, Command]:
    """Every command by its text."""
    return {text: Command(text, tuple(carry_out(text)), _features(text)) for text in commands((*VERBS, *invented))}


@lru_cache(maxsize=64)
def _taken(kind: Kind, invented: tuple[str, ...]) -> tuple[Command, ...]:
    return tuple(command for command in _known(invented).values() if kind.takes(command))


def _features(text: str) -> frozenset[str]:
    """What is true of a command: its words, where they stand, and what goes with what."""
    words = text.split()
    parts = text.replace(f" {AFTER} ", "|").replace(f" {AND} ", "|").split("|")
    found = {f"has {word}" for word in words} | {f"{len(parts)} phrases"}
    for part in parts:
        verb, *rest = part.split()
        how = "around" if "around" in rest else "opposite" if "opposite" in rest else "a side" if _sided(rest) else ""
        times = next((word for word in rest if word in TIMES), "")
        found |= {f"{verb} {word}" for word in (how, times) if word}
        found |= {f"{how} {times}"} if how and times else set()
        found |= {f"{verb} alone"} if not rest else set()
    return frozenset(found)


def _sided(words: Sequence[str]) -> bool:
    return any(word in SIDES for word in words)
