"""What a sample was made from, where an operator made it of something: its parents, and reasoning before its answer."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Parent(BaseModel):
    """An item that a sample was made from."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    kind: Literal["seed", "failure", "sample"]
    """A task of the training split, an item that the student failed when it was probed, or a sample that was edited."""
    id: str
    """Key of the task, or id of the failing attempt or the sample."""
    prompt: str
    answer: str


class Origin(BaseModel):
    """How an operator came to a sample."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    operator: str
    """Name of the operator."""
    parents: tuple[Parent, ...]
    """What it was made from; two where an operator joins them."""
    document: str = ""
    """Digest of what the teacher read and the student does not see; empty where there was nothing."""
    reasoning: str = ""
    """What leads to the answer, and is learned with it."""
    marks: tuple[str, str] = ("", "\n")
    """What stands around the reasoning; with a mark before it, the student's reasoning is told from its answer."""

    def completion(self, answer: str) -> str:
        """What is learned: the answer, after the reasoning where there is any."""
        begin, close = self.marks
        return f"{begin}{self.reasoning}{close}{answer}" if self.reasoning else answer

    def parted(self, completion: str) -> tuple[str, str]:
        """Tell reasoning from answer in a completion with these marks; all of it is answer where they are not found."""
        begin, close = self.marks
        reasoning, found, answer = completion.removeprefix(begin).rpartition(close)
        whole = not self.reasoning or not found or not completion.startswith(begin)
        return ("", completion) if whole else (reasoning, answer)

    def judged(self, answer: str) -> str:
        """What a verifier would see of it if the student said it: all, but for reasoning that is told apart."""
        return answer if self.marks[0] else self.completion(answer)


COMPLETION = """\
case when coalesce(json_extract(s.body, '$.origin.reasoning'), '') = '' then '' else
  json_extract(s.body, '$.origin.marks[0]') || json_extract(s.body, '$.origin.reasoning')
  || json_extract(s.body, '$.origin.marks[1]') end || json_extract(s.body, '$.task.answer')"""
"""What is learned of a sample, as SQL over the ledger's records, of which it is `s`."""
