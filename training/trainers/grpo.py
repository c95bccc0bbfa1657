"""Group relative policy optimisation with TRL: the student answers while it learns, and the verifier is the reward.

Every task is answered several times, and an answer counts by how much better it scored than the others to the same
task. So only tasks that the student solves sometimes teach it anything, and no reference answer is shown.

Source: Shao et al. 2024, https://arxiv.org/abs/2402.03300.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from ...memory.errors import EvolventError
from ...memory.records import Task
from ...memory.talk import tools_of
from ...scenarios.verifier import Verifier
from ..trainer import read_tasks
from ..tuning import Job, Tuner
from ..wording import Wording

SPARE = 8
"""Tokens an answer may be longer than the longest reference."""
SETTING = "it is a setting of the trainer"


class Grpo(Tuner):
    """TRL's GRPOTrainer with the scenario's verifier as its reward."""

    config: ClassVar[str] = "trl.trainer.grpo_config:GRPOConfig"
    fixed: ClassVar[Mapping[str, str]] = {
        "num_generations": f"{SETTING}, 'generations'",
        "temperature": f"{SETTING} as well; write it there",
        "reward_weights": "the verifier is the only reward",
        "log_completions_hub_repo": "a round is one folder, written whole",
        "max_tool_calling_iterations": "the student has no tools here",
    }

    in_order: ClassVar[Mapping[str, Any]] = {"shuffle_dataset": False}

    epochs: float = Field(default=4.0, gt=0, allow_inf_nan=False)
    """Passes over the tasks, each with all its answers."""
    learning_rate: float = Field(default=1e-3, gt=0, allow_inf_nan=False)
    """Peak of a linear decay after warm-up."""
    batch: int = Field(default=128, ge=2)
    """Answers per optimiser step, a multiple of `generations`."""
    weight_decay: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """Decoupled weight decay."""
    generations: int = Field(default=8, ge=2)
    """Answers to each task."""
    temperature: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    """Of the answers; they have to differ for any to be better."""

    @model_validator(mode="after")
    def _holds_whole_groups(self) -> Self:
        if self.batch % self.generations:
            raise ValueError(f"batch ({self.batch}) must be a multiple of generations ({self.generations})")
        return self

    @property
    def rewarded(self) -> bool:
        """The verifier is the reward."""
        return True

    @property
    def rows_each(self) -> int:
        """An answer is a row."""
        return self.generations

    def own(self) -> Mapping[str, Any]:
        """How answers are drawn."""
        return {"num_generations": self.generations, "temperature": self.temperature}

    def build(self, job: Job) -> Any:
        """TRL's trainer on the tasks.

        Raises:
            EvolventError: there is nothing that judges answers.
        """
        from datasets import Dataset
        from trl.trainer.grpo_trainer import GRPOTrainer

        if job.verifier is None:
            raise EvolventError(f"{job.folder}: 'grpo' needs a verifier for its reward; give one to `train`")
        tasks = read_tasks(job.folder)
        wording, manner = job.wording, job.wording.manner
        longest = manner.longest or SPARE + max(wording.answer_length(task.question, task.answer) for task in tasks)
        rows = [{"prompt": prompt, "number": number} for number, prompt in enumerate(prompts(wording, tasks))]
        more = {"chat_template_kwargs": dict(manner.template)} if manner.template else {}
        ends = {"generation_kwargs": {"eos_token_id": list(wording.ends)}} if len(wording.ends) > 1 else {}
        return GRPOTrainer(
            model=job.model,
            reward_funcs=reward(
                job.verifier, tasks, heard=lambda said, task: wording.heard(said, tools_of(task.question))
            ),
            args=self.arguments(job, len(rows) * self.generations, max_completion_length=longest, **more, **ends),
            train_dataset=Dataset.from_list(rows),
            processing_class=job.wording.tokenizer,
        )


def prompts(wording: Wording, tasks: Sequence[Task]) -> list[Any]:
    """What TRL asks: turns, or texts where there are conversations, since it knows one set of tools for all of them."""
    if not any(task.talk for task in tasks):
        return [wording.opening(task.question)["prompt"] for task in tasks]
    # TRL's tokenizer puts a mark before a text that the template has put there already
    marked = wording.tokenizer("")["input_ids"] and wording.tokenizer.bos_token
    return [wording.text(task.question).removeprefix(marked or "") for task in tasks]


def reward(
    verifier: Verifier, tasks: Sequence[Task], *, heard: Callable[[str, Task], str] = lambda said, _: said
) -> Callable[..., list[float | None]]:
    """Give TRL's reward function: the verifier's score of every answer, None where it can say nothing of a task.

    Args:
        verifier: judges.
        tasks: what is asked; the rows name them by their place.
        heard: gives the answer in what the student said to a task.
    """

    def score(*, completions: Sequence[Any], number: Sequence[int], **_: Any) -> list[float | None]:
        texts = [said if isinstance(said, str) else str(said[-1]["content"]) for said in completions]
        asked = [tasks[n] for n in number]
        return [scored(t, heard(text, t)) for t, text in zip(asked, texts, strict=True)]

    def scored(task: Task, answer: str) -> float | None:
        try:
            return verifier.judge(task, answer).score
        except ValueError:  # a model may have written the task, and its reference be no query or no JSON
            return None

    return score
