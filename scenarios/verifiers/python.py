"""The answer is a Python function that passes the task's tests, run in a sandbox.

A task's `checks` are its tests, in HumanEval's format or as bare assertions; its reference says which functions they
may call. Answer and tests live in two processes: arguments and results cross as plain values, as copies, so an answer
cannot patch the tests, compare for them, or end them early, and a test cannot take an object of the answer's own class
or pass it a function. Source: Chen et al. 2021, https://arxiv.org/abs/2107.03374 (section 2).
"""

from ...memory.records import Task, Verdict
from ..sandbox.sandbox import Job, Sandbox
from ..verifier import Verifier


class Python(Verifier):
    """Run the task's tests; every verdict names the tier of the sandbox that held.

    A task of this kind has its tests from the source (`source.checks`), so a teacher that writes tasks of its own
    cannot write these.
    """

    sandbox: Sandbox = Sandbox()
    """The bounds of a run: seconds, memory, space, and which walls."""

    def judge(self, task: Task, answer: str) -> Verdict:
        """Score 1 when no test raises.

        Raises:
            ValueError: the task has no tests, or they cannot be run whatever the answer.
            SandboxError: no sandbox holds on this machine.
        """
        if not task.checks.strip():
            raise ValueError(f"task {task.key!r}: no tests; name their column in source.checks")
        job = Job(prompt=task.prompt, answer=answer, reference=task.answer, tests=task.checks)
        outcome = self.sandbox.run(job)
        if outcome.status == "broken":
            raise ValueError(f"task {task.key!r}: {outcome.reason}")
        return Verdict(score=float(outcome.status == "passed"), reason=f"{outcome.reason} [sandbox: {outcome.tier}]")
