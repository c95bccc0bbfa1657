"""A checkpoint as a folder for others: weights and tokenizer, nothing that runs."""

import json
import shutil
from pathlib import Path
from typing import Any

from ..memory.errors import RunError, UsageError
from ..memory.files import COMPLETE, write_json
from .checkpoint import ADAPTER, adapted, load, save

KEPT = frozenset({".jinja", ".json", ".model", ".safetensors", ".txt"})
"""Endings of what is handed on: no pickle, no code, no page that another tool wrote."""
BASE = "base_model_name_or_path"


def release(checkpoint: Path, folder: Path, *, merge: bool = False, base: str = "") -> None:
    """Write a checkpoint into a folder.

    Args:
        checkpoint: full weights or an adapter.
        folder: exists and is empty.
        merge: write an adapter as full weights, merged into its base.
        base: what the base of an adapter is called where it will be used; without it the folder it was trained on.

    Raises:
        UsageError: merging, or naming the base of, what is no adapter.
        RunError: it is made of links.
    """
    if (merge or base) and not adapted(checkpoint):
        option = "--merge" if merge else "--base"
        raise UsageError(f"{option}: {checkpoint} holds all weights and is no adapter; leave {option} away")
    if merge:
        _merge(checkpoint, folder)
        return
    for path in sorted(checkpoint.iterdir()):
        if path.is_symlink():
            raise RunError(f"{path}: is a link; only a run's own files are handed on, copy it there")
        if path.suffix in KEPT and path.name != COMPLETE:
            shutil.copyfile(path, folder / path.name)
    if base:
        write_json(folder / ADAPTER, {**json.loads((folder / ADAPTER).read_text()), BASE: base})


def _merge(checkpoint: Path, folder: Path) -> None:
    model: Any
    model, tokenizer = load(checkpoint)
    save(model.merge_and_unload(safe_merge=True), tokenizer, folder, start=checkpoint)
