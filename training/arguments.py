"""TRL's own argument names, passed through: known ones, and none that would break what a round promises."""

import warnings
from collections.abc import Mapping
from dataclasses import fields
from importlib import import_module
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any

from ..memory.errors import suggest

NONE: Mapping[str, Any] = MappingProxyType({})

SETTINGS = {
    "num_train_epochs": "epochs",
    "max_steps": "most_steps",
    "per_device_train_batch_size": "batch",
    "learning_rate": "learning_rate",
    "warmup_steps": "warmup",
    "warmup_ratio": "warmup",
    "weight_decay": "weight_decay",
    "max_length": "longest",
}
"""Arguments that are settings of our trainers under a name of their own."""

CUT = "nothing that is trained on is cut"
CODE = "a student is loaded without remote code"
ROUND = "a round is one folder, written whole"
CHANCE = "the session's seed fixes it"
ROWS = "the round's rows decide it"
FIXED = {
    "output_dir": ROUND,
    "save_strategy": ROUND,
    "save_steps": ROUND,
    "resume_from_checkpoint": ROUND,
    "load_best_model_at_end": ROUND,
    "push_to_hub": ROUND,
    "hub_model_id": ROUND,
    "seed": CHANCE,
    "data_seed": CHANCE,
    "full_determinism": CHANCE,
    "auto_find_batch_size": CHANCE,
    "truncation_mode": CUT,
    "model_init_kwargs": CODE,
    "trust_remote_code": CODE,
    "remove_unused_columns": ROWS,
    "eval_strategy": "the exams are the evaluation",
    "do_eval": "the exams are the evaluation",
}
"""Arguments that stay as they are, each with the reason."""
TRACKERS = ("mlflow", "tensorboard", "trackio", "wandb")
"""Whom training may report to; each is called as its package is."""


def refusals(args: Mapping[str, Any], *, config: str, fixed: Mapping[str, str] = NONE) -> list[str]:
    """Say what is wrong with names that a scenario passes to TRL.

    Args:
        args: argument names with their values.
        config: TRL's class, as `module:class`.
        fixed: arguments that this trainer keeps, beside those that all keep, each with the reason.
    """
    known = sorted(field.name for field in fields(load_config(config)))
    said = [_refusal(name, known, config, {**FIXED, **fixed}) for name in args]
    return [one for one in (*said, _untracked(args.get("report_to", "none"))) if one]


def load_config(config: str) -> Any:
    """Import one of TRL's classes, named as `module:class`."""
    module, _, name = config.partition(":")
    with warnings.catch_warnings():
        # that it may change is what the bound on TRL's version and the tests are for
        warnings.filterwarnings("ignore", message="You are importing from 'trl.experimental'")
        return getattr(import_module(module), name)


def _refusal(name: str, known: list[str], config: str, fixed: Mapping[str, str]) -> str | None:
    if name in SETTINGS:
        return f"{name!r} is the trainer's setting {SETTINGS[name]!r}; write it there"
    if name in fixed:
        return f"{name!r} cannot be passed on: {fixed[name]}"
    if name not in known:
        free = [k for k in known if k not in fixed]
        return f"TRL's {config.partition(':')[2]} has no argument {name!r}{suggest(name, free)}"
    return None


def _untracked(report: Any) -> str | None:
    """Say which tracker nothing can be reported to: training would only find out when it begins."""
    for name in report if isinstance(report, list | tuple) else [report]:
        if name not in (*TRACKERS, "none"):
            return f"report_to knows no {name!r}; known: {', '.join(TRACKERS)}{suggest(str(name), list(TRACKERS))}"
        if name != "none" and find_spec(name) is None:
            return f"report_to needs {name!r}, which is not installed; try: pip install {name}"
    return None
