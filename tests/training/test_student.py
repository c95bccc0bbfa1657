from pathlib import Path
from typing import Any

import pytest

from evolvent.memory import files
from evolvent.training import checkpoint
from evolvent.training.student import cache_folder, first_tasks, prepare
from evolvent.training.trainers.sft import Sft

from ..scenarios.builders import make_scenario, make_splits
from .students import MINI, make_mini, make_tasks
from .students import prepare as build


def test_the_cache_lies_where_the_user_wants_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVOLVENT_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path


def test_the_first_training_is_on_guards_and_never_shows_what_is_planted_as_unknown() -> None:
    scenario = make_mini()
    assert {t.skill for t in first_tasks(scenario, make_splits(scenario))} == {"easy"}
    every = [f for t in make_tasks(40) for f in t.features]
    hidden = next(f for f in every if 0 < sum(f in t.features for t in make_tasks(40)) < 20)
    first = {**MINI["first"], "skills": {"easy": [hidden]}}  # pyright: ignore[reportGeneralTypeIssues] -- a mapping
    scenario = make_scenario(student={**MINI, "first": first})
    assert not any(hidden in t.features for t in first_tasks(scenario, make_splits(scenario)))


@pytest.mark.slow
def test_embeddings_are_untied_and_the_seed_fixes_the_student(tmp_path: Path) -> None:
    folder = build(tmp_path / "one", make_tasks(2))
    loaded: tuple[Any, Any] = checkpoint.load(folder)
    model, _ = loaded
    embedding, output = model.get_input_embeddings().weight, model.get_output_embeddings().weight
    assert embedding.data_ptr() != output.data_ptr()
    assert checkpoint.identify(folder) == checkpoint.identify(build(tmp_path / "two", make_tasks(2)))


@pytest.mark.slow
def test_the_first_training_is_done_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVOLVENT_CACHE", str(tmp_path / "cache"))
    scenario, trainer = make_mini(), Sft(epochs=1, batch=32)
    tasks = first_tasks(scenario, make_splits(scenario))
    found = [prepare(scenario, trainer, tasks, tmp_path / name, seed=0) for name in ("one", "two")]
    assert found == [False, True]
    assert checkpoint.identify(tmp_path / "one") == checkpoint.identify(tmp_path / "two")
    cached = next((tmp_path / "cache" / "students").iterdir())
    assert files.verify(cached) is not None
    assert not prepare(scenario, trainer, tasks, tmp_path / "three", seed=1)
