"""What fits on one GPU: the student's server, its training, and both at once, said before anything runs."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from ..scenarios.schema import Scenario
from ..scenarios.student import Dtype
from ..training import checkpoint, device, origin
from ..training.engines.transformers import Transformers
from ..training.engines.vllm import Vllm
from ..training.footprint import ASLEEP, GIB, Counted, Footprint, Method, Served, answering, serving, training
from ..training.lora import Lora, room_for
from ..training.tuning import Tuner
from .parts import Parts

CARDS = (8, 12, 16, 24, 32, 40, 48, 80, 96, 141, 180)
"""GiB of GPUs that are sold."""
UNCOUNTABLE = (OSError, ValueError, RuntimeError, TypeError, AttributeError, LookupError)
"""What a kind of model that cannot be built or run without its weights may raise."""


@dataclass(frozen=True)
class Case:
    """A student, how it answers, and how it is trained."""

    folder: Path
    engine: Transformers | Vllm
    method: Method
    answer: int
    """Tokens of an answer beside those of a sample."""

    @property
    def sleeps(self) -> bool:
        """Whether the server makes room while a round trains."""
        return isinstance(self.engine, Vllm) and self.engine.sleep

    @cached_property
    def counted(self) -> Counted:
        """The student, and one row of its training."""
        return _count(self.folder, self.method)

    @cached_property
    def train(self) -> Footprint:
        """Training at its peak."""
        beside = self.method.trainer.beside
        return training(self.method, self.counted, teacher=checkpoint.size(beside) if beside else 0)

    def serve(self, memory: float) -> Served | None:
        """A started server on a GPU of so many bytes; None where none is started."""
        engine = self.engine
        if not isinstance(engine, Vllm) or engine.url:
            return None
        dtype = self.method.dtype if engine.dtype == "auto" else engine.dtype
        longest = engine.longest or self.counted.longest
        adapter = self._adapter(engine.rank) if engine.rank else 0
        return serving(self.counted, dtype=dtype, share=engine.share, adapter=adapter, longest=longest, memory=memory)

    def answers(self) -> Footprint | None:
        """Answering in the session's process; None where a server does."""
        if isinstance(self.engine, Vllm):
            return None
        length = self.method.trainer.longest + self.answer
        return answering(self.counted, dtype=self.method.dtype, batch=self.engine.batch, length=length)

    def peak(self, memory: float) -> float:
        """Bytes at the worst moment, on a GPU of so many bytes."""
        served, alone = self.serve(memory), self.answers()
        if served is None:
            return max(self.train.total, alone.total if alone else 0)
        if self.sleeps:
            return max(served.footprint.total, self.train.total + ASLEEP)
        return served.footprint.total + self.train.total

    def fits(self, memory: float, taken: float) -> bool:
        """Whether everything runs on a GPU of so many bytes, of which others take some."""
        served = self.serve(memory)
        return self.peak(memory) + taken <= memory and (served is None or served.starts)

    def _adapter(self, rank: int) -> int:
        """Numbers in an adapter of a rank; they grow with it."""
        lora = self.method.trainer.lora
        if lora is not None:
            return self.counted.trained * rank // lora.rank
        return _count(self.folder, self.method.changed(lora=room_for(rank))).trained


@dataclass(frozen=True, slots=True)
class Room:
    """What a scenario takes of a GPU, and whether it has that."""

    name: str
    case: Case
    memory: float | None
    """Bytes of the GPU; None where there is none and none was named."""
    taken: float
    """Bytes of it that others take."""

    def lines(self) -> list[str]:
        """Readable text."""
        counted, size = self.case.counted, self._size()
        trained = f"{counted.trained / 1e6:,.1f} million"
        how = f"an adapter of {trained}" if self.case.method.trainer.lora else f"{trained} of them trained"
        about = f"{self.name}: {counted.parameters / 1e6:,.1f} million parameters in {self.case.method.dtype}, {how}"
        return [f"memory  {line}" for line in (about, *self._phases(size), self._verdict())]

    def facts(self) -> dict[str, Any]:
        """The same as JSON, in bytes."""
        size = self._size()
        served, alone, smallest = self.case.serve(size), self.case.answers(), self.smallest()
        answer = served.footprint if served else alone
        return {
            "parameters": self.case.counted.parameters,
            "trained": self.case.counted.trained,
            "cached_per_token": self.case.counted.cached,
            "gpu": self.memory,
            "taken": self.taken,
            "serve": dict(answer.parts) if answer else None,
            "train": dict(self.case.train.parts),
            "peak": self.case.peak(size),
            "fits": self.case.fits(self.memory, self.taken) if self.memory else None,
            "smallest": smallest * GIB if smallest else None,
        }

    def smallest(self) -> int | None:
        """GiB of the smallest GPU on which everything fits."""
        return next((size for size in CARDS if self.case.fits(size * GIB, self.taken)), None)

    def _size(self) -> float:
        """Bytes of the GPU; where none is known, of the smallest one that would do."""
        return self.memory or GIB * (self.smallest() or CARDS[-1])

    def _phases(self, size: float) -> Iterator[str]:
        served, alone = self.case.serve(size), self.case.answers()
        if served:
            tokens = max(0, served.tokens)
            many = f"{tokens:,} tokens at a time, {tokens // served.longest:,} conversations of {served.longest:,}"
            yield f"serve  {_told(served.footprint)}: {many}"
        elif alone:
            yield f"serve  at most {_told(alone)}"
        else:
            yield "serve  by a server of yours, which is not counted; gpu.taken says what it has of this GPU"
        yield f"train  at most {_told(self.case.train)}"
        if served:
            how = "sleeps while a round trains" if self.case.sleeps else "keeps its share while a round trains"
            yield f"both   at most {self.case.peak(size) / GIB:,.1f} GiB; the server {how}"

    def _verdict(self) -> str:
        small = self.smallest()
        if self.memory is None:
            card = f"fits on a GPU of {small} GiB" if small else f"fits on no GPU of up to {CARDS[-1]} GiB"
            return f"{card}; no GPU is seen here, gpu.memory says which one is meant"
        others = f", {self.taken / GIB:,.1f} of them for others" if self.taken else ""
        told = f"{(self.case.peak(self.memory) + self.taken) / GIB:,.1f} of {self.memory / GIB:,.1f} GiB{others}"
        if self.case.fits(self.memory, self.taken):
            return f"fits: at most {told}"
        from .ways import way_out

        served = self.case.serve(self.memory)
        cause = told if served is None or served.starts else "no whole conversation fits beside the server's weights"
        way = way_out(self.case, self.memory, self.taken)
        rest = f"take a GPU of {small} GiB" if small else "take a smaller student"
        return f"DOES NOT FIT: {cause}; {f'set {way}' if way else rest}"


def room(scenario: Scenario, parts: Parts) -> Room | None:
    """Work out what a session takes of a GPU; None where that cannot be said.

    Raises:
        UnavailableError: the student is not there.
    """
    trainer, engine, student = parts.trainer, parts.engine, scenario.student
    if not student.model or not isinstance(trainer, Tuner) or not isinstance(engine, Transformers | Vllm):
        return None
    case = Case(origin.locate(student, whole=False), engine, Method(trainer, student.dtype), student.longest)
    try:
        assert case.train.total > 0
    except UNCOUNTABLE:
        return None
    named = scenario.gpu.memory or device.memory()
    return Room(student.model, case, named * GIB if named else None, scenario.gpu.taken * GIB)


def short(scenario: Scenario, parts: Parts) -> list[str]:
    """What is said of memory where there is no more to say: of small students, and of what cannot be counted."""
    if scenario.student.model:
        return ["memory  is not known: this kind of model, or a part that is not Evolvent's own, cannot be counted"]
    return ["memory  a student of this size trains on any GPU, or on none"] if parts.engine.serves else []


@cache
def _counted(folder: Path, dtype: Dtype, length: int, lora: str, recompute: bool) -> Counted:
    from ..training.counting import count

    adapter = Lora.model_validate_json(lora) if lora else None
    return count(folder, dtype=dtype, length=length, lora=adapter, recompute=recompute)


def _count(folder: Path, method: Method) -> Counted:
    # weights of 4 bits change neither how many there are nor what is kept
    lora = method.trainer.lora.model_dump_json(exclude={"quantization"}) if method.trainer.lora else ""
    return _counted(folder, method.dtype, method.trainer.longest, lora, method.recomputes)


def _told(footprint: Footprint) -> str:
    parts = sorted(footprint.parts.items(), key=lambda part: -part[1])
    return f"{footprint.total / GIB:,.1f} GiB ({', '.join(f'{name} {size / GIB:,.1f}' for name, size in parts)})"
