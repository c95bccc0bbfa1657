"""Generalised knowledge distillation with TRL: a teacher's probabilities for every token, on the student's own answers.

A teacher's logits say more of a token than which one is right, and on answers that the student wrote itself they say it
where the student will need it. Both must have one vocabulary, since probabilities are compared token by token.

Source: Agarwal et al. 2023, https://arxiv.org/abs/2306.13649.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field, field_validator

from ...memory.errors import PartError
from ...memory.files import digest, file_digest
from .. import checkpoint
from ..trainer import read_rows
from ..tuning import Job, Tuner, unheard

SPARE = 8
"""Tokens an answer may be longer than the longest reference."""
SETTING = "it is a setting of the trainer as well; write it there"
TEACHER = "the teacher is the trainer's setting 'teacher'"
WAY = "name a teacher of the student's family, or learn from its answers: trainer.name = 'sft'"
ADVICE = "fully covered by `DistillationTrainer`"


class Distill(Tuner):
    """TRL's GKDTrainer with a teacher from a folder."""

    config: ClassVar[str] = "trl.experimental.gkd.gkd_config:GKDConfig"
    fixed: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("lmbda", "beta", "temperature"), SETTING),
        **dict.fromkeys(("teacher_model_name_or_path", "teacher_model_init_kwargs"), TEACHER),
        **dict.fromkeys(("packing", "padding_free", "dataset_kwargs"), "the teacher reads the student's rows"),
        "seq_kd": "the rows hold right answers already",
    }

    teacher: Path
    """Folder of the teacher's checkpoint, in safetensors; its tokenizer is the student's."""
    learning_rate: float = Field(default=3e-3, gt=0, allow_inf_nan=False)
    """Peak of a linear decay after warm-up."""
    lmbda: float = Field(default=0.5, ge=0, le=1)
    """Share of the steps that train on answers of the student's own instead of the right ones."""
    beta: float = Field(default=0.5, ge=0, le=1)
    """Which divergence: 0 is the forward one, which covers all a teacher might say, 1 the reverse one."""
    temperature: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    """Of the student's own answers."""

    @field_validator("teacher")
    @classmethod
    def _is_a_checkpoint(cls, teacher: Path) -> Path:
        if not _weights(teacher):
            raise ValueError(
                f"{str(teacher)!r} holds no safetensors; name the folder of a trained model on this machine"
            )
        return teacher

    @property
    def beside(self) -> Path:
        """The teacher."""
        return self.teacher

    def rests_on(self) -> Mapping[str, str]:
        """Digest of the teacher's weights, those under an adapter included."""
        return {"teacher": digest([file_digest(path) for path in _weights(self.teacher)])}

    def require(self, start: Path) -> None:
        """Compare the teacher's tokens with the student's, from their files alone.

        Raises:
            PartError: the teacher does not speak in the student's tokens.
        """
        if why := refusal(_tokens(self.teacher), _tokens(start)):
            raise PartError(f"{self.teacher}: {why}; {WAY}")

    def own(self) -> Mapping[str, Any]:
        """Which answers, and how far from the teacher."""
        return {**super().own(), "lmbda": self.lmbda, "beta": self.beta, "temperature": self.temperature}

    def build(self, job: Job) -> Any:
        """TRL's trainer on the rows, with the teacher beside the student.

        Raises:
            PartError: the teacher does not speak in the student's tokens.
        """
        from ..distilling import DistillingTrainer, tokenize_whole

        self.require(job.start)
        teacher, _ = checkpoint.load(self.teacher)
        rows = read_rows(job.folder)
        longest = SPARE + max(job.wording.answer_length(*row) for row in rows)
        with unheard("trl.experimental.gkd.gkd_trainer", ADVICE):
            return DistillingTrainer(
                model=job.model,
                teacher_model=teacher,
                args=self.arguments(job, len(rows), max_new_tokens=longest),
                train_dataset=tokenize_whole(job.wording, rows),
                processing_class=job.wording.tokenizer,
            )


def refusal(teacher: tuple[Any, int], student: tuple[Any, int]) -> str | None:
    """Say why a teacher's probabilities are not about the student's tokens, if so.

    Args:
        teacher: its tokenizer, and how many tokens its last layer tells apart.
        student: the same of the student.
    """
    said, own = teacher[0].get_vocab(), student[0].get_vocab()
    if said != own:
        strange = min(token for token, _ in said.items() ^ own.items())
        return f"the teacher's tokenizer is not the student's: {strange!r} is not the same token, or none"
    if teacher[1] != student[1]:
        return f"the teacher tells {teacher[1]} tokens apart, the student {student[1]}"
    return None


def _tokens(folder: Path) -> tuple[Any, int]:
    """Tokenizer of a checkpoint, and how many tokens its last layer tells apart."""
    from transformers import AutoConfig

    base = checkpoint.base(folder)
    config: Any = AutoConfig.from_pretrained(base, trust_remote_code=False, local_files_only=True)
    return checkpoint.load_tokenizer(base), config.get_text_config().vocab_size


def _weights(folder: Path) -> list[Path]:
    """Files that hold a teacher: an adapter with its configuration and the weights it lies on."""
    found = sorted(folder.glob("*.safetensors"))
    if not found or not checkpoint.adapted(folder):
        return found
    return [*found, folder / checkpoint.ADAPTER, *checkpoint.weights(checkpoint.base(folder))]
