"""The model that a session starts from, where somebody brings one: a folder, or a commit on the hub.

Nothing of it is run: weights are safetensors, and code that comes with a model is neither fetched nor loaded.
"""

import contextlib
import os
import shutil
from pathlib import Path

from ..memory.errors import ScenarioError, UnavailableError
from ..scenarios.student import Student
from . import checkpoint
from .manner import Manner
from .reading import Reader, reader
from .wording import Wording, fit

SMALL = ("*.json", "*.jinja", "merges.txt", "vocab.txt", "tokenizer.model")
"""Files of a model beside its weights."""
LARGE = ("model*.safetensors",)
PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
"""Files that could run code when they are read."""
LEFT = ("*/*",)
"""What lies in folders of its own is another form of the same model."""


def locate(student: Student, *, whole: bool = True) -> Path:
    """Folder of the model, fetched from the hub where it is there.

    Args:
        student: names it.
        whole: with its weights; else only what it takes to talk of it.

    Raises:
        UnavailableError: there is no such folder, or the hub does not give it.
    """
    if student.revision:
        return _fetch(student, [*SMALL, *LARGE] if whole else [*SMALL])
    folder = Path(student.model)
    if not os.path.isdir(folder):
        raise UnavailableError(
            f"student.model {student.model!r}: no such folder; a model on the hub is named 'owner/name', with its "
            "commit in student.revision"
        )
    return folder


def check(student: Student) -> Reader:
    """See that a session can start from the model; say how it reads.

    Raises:
        UnavailableError: it is not there.
        ScenarioError: it cannot be a student, with the way out.
    """
    folder = locate(student, whole=False)
    try:
        if not student.revision:
            _whole(folder)
        _known(folder)
        found = reader(student, folder)
        assert isinstance(found, Wording)
        fit(found)
    except (ScenarioError, UnavailableError) as error:
        raise ScenarioError(f"student.model {student.model!r}: {error}") from None
    return found


def place(student: Student, folder: Path) -> None:
    """Put the model and the manner it is spoken to into a folder; files are linked where the disk allows it.

    Raises:
        UnavailableError: it is not there, or not whole.
    """
    source = locate(student)
    try:
        checkpoint.weights(source)
    except UnavailableError as error:
        raise UnavailableError(f"student.model {student.model!r}: {error}") from None
    for path in sorted({path for pattern in (*SMALL, *LARGE) for path in source.glob(pattern)}):
        _link(path.resolve(), folder / path.name)
    Manner.of(student).write(folder)


def parameters(student: Student) -> int:
    """Numbers in the weights; 0 where they are still on the hub."""
    if student.revision:
        return 0
    return checkpoint.size(locate(student))


def _fetch(student: Student, patterns: list[str]) -> Path:
    """A commit of a model on the hub; where that does not answer, what this machine has of it."""
    from httpx import HTTPError
    from huggingface_hub import snapshot_download

    lost = (OSError, ValueError, HTTPError)

    def fetched(*, here: bool) -> Path:
        found = snapshot_download(
            student.model,
            revision=student.revision,
            allow_patterns=patterns,
            ignore_patterns=[*LEFT],
            local_files_only=here,
        )
        return Path(found)

    try:
        return fetched(here=False)
    except lost as error:
        with contextlib.suppress(*lost):
            return fetched(here=True)
        reason = next(iter(str(error).splitlines()), "") or type(error).__name__
        raise UnavailableError(
            f"student.model {student.model!r}: commit {student.revision[:12]} cannot be had from the hub ({reason}); "
            "look at name, commit and network, or give the folder of a copy on this machine"
        ) from error


def _whole(folder: Path) -> None:
    if checkpoint.adapted(folder):
        raise ScenarioError("is an adapter without the model it lies on; merge the two and name the folder of that")
    if not (folder / "config.json").is_file():
        raise ScenarioError("no config.json in that folder; name the folder that `save_pretrained` wrote")
    if any((folder / name).is_file() for name in (checkpoint.WEIGHTS, checkpoint.INDEX)):
        checkpoint.weights(folder)
        return
    pickled = sorted(path.name for pattern in PICKLED for path in folder.glob(pattern))
    if pickled:
        raise ScenarioError(
            f"its weights are in {pickled[0]}, which can run code when it is read; save the model as safetensors, with "
            "`save_pretrained` of a current transformers"
        )
    raise ScenarioError(f"no {checkpoint.WEIGHTS} in that folder; a student is a folder of safetensors")


def _known(folder: Path) -> None:
    """See that transformers knows the model by itself."""
    from transformers import AutoConfig
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    try:
        kind = AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True).model_type
    except (OSError, ValueError, KeyError) as error:
        reason = str(error).splitlines()[0]
        raise ScenarioError(
            f"transformers does not know this model by itself ({reason}); code that comes with a model is never run, "
            "choose one that transformers has"
        ) from error
    if kind not in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES:
        raise ScenarioError(f"a {kind!r} does not write text; choose a causal language model")


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        # another disk, or one without hard links
        shutil.copyfile(source, target)
