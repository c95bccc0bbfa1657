"""A data set of the Hugging Face library as rows: from the hub at a commit, or from a folder on this machine.

The library fetches, caches and reads; no code of a data set is run. What it cannot do is said in one line.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ..memory.errors import PartError, suggest
from ..memory.files import digest, file_digest

if TYPE_CHECKING:
    from datasets import Dataset

ID = re.compile(r"(?:[\w-][\w.-]*/)?[\w-][\w.-]*")
"""How an id on the hub looks: who published the data set, and what it is called."""
BATCH = 1_000
"""Rows that are turned into values at once."""
SAVED = ("state.json", "dataset_dict.json")
"""Files by which a folder that `save_to_disk` wrote is known."""


@dataclass(frozen=True, slots=True)
class Hub:
    """Reads one split of a data set."""

    place: str
    """Id on the hub, or a folder."""
    revision: str
    """Commit of a data set on the hub; empty for a folder."""
    config: str
    """Empty where there is one only."""
    split: str

    def __call__(self, path: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """Give numbers, from 1, and rows.

        Raises:
            PartError: it cannot be had or read.
        """
        number = 0
        # as a table and not row by row: pictures and sounds stay bytes, which nobody here looks at
        tables = self._load(path).with_format("arrow").iter(batch_size=BATCH)
        for table in cast("Iterator[Any]", tables):
            for values in table.to_pylist():
                number += 1
                yield number, values

    def fingerprint(self) -> str:
        """Digest of what the rows come from: a commit is what it is, and a folder is its files."""
        if self.revision:
            return digest([self.place, self.revision, self.config, self.split])
        return digest([[p.relative_to(self.place).as_posix(), file_digest(p)] for p in self.files()])

    def files(self) -> list[Path]:
        """Files of a folder, in order of their names."""
        return sorted(p for p in Path(self.place).rglob("*") if p.is_file())

    def _load(self, said: str) -> "Dataset":
        from datasets.exceptions import DatasetsError
        from huggingface_hub.errors import HfHubHTTPError

        try:
            saved = not self.revision and any((Path(self.place) / name).is_file() for name in SAVED)
            return self._saved(said) if saved else self._built(said)
        except (DatasetsError, HfHubHTTPError, OSError, RuntimeError, ValueError) as error:
            raise PartError(f"{said}: {_reason(error)}") from None

    def _saved(self, said: str) -> "Dataset":
        """What `save_to_disk` wrote: one split, or several by name."""
        from datasets import Dataset, load_from_disk

        found = load_from_disk(self.place)
        if isinstance(found, Dataset):
            return found
        if self.split not in found:
            names = sorted(map(str, found))
            raise PartError(f"{said}: no split {self.split!r}{suggest(self.split, names)}; it has: {', '.join(names)}")
        return found[self.split]

    def _built(self, said: str) -> "Dataset":
        from datasets import Dataset, load_dataset_builder

        builder = load_dataset_builder(self.place, self.config or None, revision=self.revision or None)
        # where the hub cannot be reached the library takes whatever commit it has
        if self.revision and builder.hash != self.revision:
            raise PartError(
                f"{said}: commit {self.revision} cannot be had, only {builder.hash}; connect, or pin that one"
            )
        builder.download_and_prepare()
        found = builder.as_dataset(split=self.split)
        assert isinstance(found, Dataset)
        return found


def _reason(error: Exception) -> str:
    """What the library says, and the way out where it does not say it."""
    cause = f": {error.__cause__}" if error.__cause__ else ""
    text = " ".join(f"{error}{cause}".split())[:400] or type(error).__name__
    for sign, way in (
        ("gated", "accept its terms there, and log in with `hf auth login` or set HF_TOKEN"),
        ("Revision", "take a commit from its 'Files' page into source.revision"),
        ("doesn't exist", "look at source.repo; a private one needs `hf auth login` or HF_TOKEN"),
        ("Couldn't reach", "connect, or load it once where there is a network: the library keeps it"),
        ("BuilderConfig", "set source.config"),
        ("Config name is missing", "set source.config"),
        ("Unknown split", "set source.split"),
        ("scripts are no longer", "code of a data set is never run; take one with data files, such as Parquet"),
        ("data file", "put Parquet, JSON Lines or CSV files there, or a data set saved with save_to_disk"),
    ):
        if sign in text:
            return f"{text.rstrip('.')}; {way}"
    return text
