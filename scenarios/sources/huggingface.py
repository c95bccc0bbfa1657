"""Tasks from a data set of the Hugging Face library: on the hub at a pinned commit, or in a folder on this machine."""

from contextlib import suppress
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from ...memory.errors import PartError
from ..hub import ID, Hub
from ..rows import Table, read
from ..student import COMMIT
from ..tabular import Columned


class HuggingFace(Columned):
    """Rows of one split of a data set."""

    repo: str = Field(default="", exclude_if=lambda text: not text)
    """Id of a data set on the hub, such as `openai/gsm8k`."""
    revision: str = Field(default="", exclude_if=lambda text: not text)
    """Its commit, forty hexadecimal digits: a name may move, and a session that goes on would find other tasks."""
    path: str = Field(default="", exclude_if=lambda text: not text)
    """Instead of an id, a folder: of data files, or one that `save_to_disk` wrote. In a scenario relative to it."""
    config: str = Field(default="", exclude_if=lambda text: not text)
    """Which configuration, where there are several."""
    split: str = Field(default="train", min_length=1)
    """Which of its own splits; what a session holds out comes from it by key."""
    skill: str = ""
    """Column that names the skill; empty when every skill takes its rows by `where` alone."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if bool(self.repo) == bool(self.path):
            raise ValueError("name a data set on the hub in source.repo, or a folder in source.path")
        if self.path and self.revision:
            raise ValueError("revision belongs to a data set on the hub; leave it away beside path")
        if self.repo and not ID.fullmatch(self.repo):
            raise ValueError(f"repo {self.repo!r} is no id on the hub, such as 'openai/gsm8k'; a folder goes to path")
        if self.repo and not COMMIT.fullmatch(self.revision):
            raise ValueError(
                f"revision {self.revision!r} may move; pin a commit, its forty hexadecimal digits, as the hub's "
                "'Files' page shows them"
            )
        return self

    @property
    def origin(self) -> str:
        """Data set, configuration and split."""
        return f"{self.repo or self.path}[{', '.join(filter(None, (self.config, self.split)))}]"

    def fingerprint(self) -> str:
        """Digest of the commit, or of a folder's files."""
        self.table()
        return self._reader().fingerprint()

    def table(self) -> Table:
        """Read the split, again where a folder changed."""
        reader = self._reader()
        try:
            stats = [file.stat() for file in reader.files()] if self.path else []
        except OSError as error:
            raise PartError(f"source.path: {self.path} cannot be read: {error.strerror}") from None
        changed, size = max((s.st_mtime_ns for s in stats), default=0), sum(s.st_size for s in stats)
        return read(self.origin, changed, size, self.columns(), reader)

    def _reader(self) -> Hub:
        return Hub(self._folder() if self.path else self.repo, self.revision, self.config, self.split)

    def _folder(self) -> str:
        with suppress(OSError, RuntimeError, ValueError):
            if (path := Path(self.path).expanduser().absolute()).is_dir():
                return str(path)
        raise PartError(f"source.path: no such folder: {self.path:.500}; a path is relative to the scenario's folder")
