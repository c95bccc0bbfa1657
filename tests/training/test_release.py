import json
from pathlib import Path

import pytest
import torch

from evolvent.memory.errors import UsageError
from evolvent.training import checkpoint
from evolvent.training.release import release

from .students import make_adapter, prepare

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare(tmp_path_factory.mktemp("base"), [])


@pytest.fixture
def adapter(base: Path, tmp_path: Path) -> Path:
    return make_adapter(base, tmp_path, seed=1)[0]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def logits(folder: Path) -> torch.Tensor:
    model, _ = checkpoint.load(folder)
    with torch.inference_mode():
        return model(input_ids=torch.arange(5, 25)[None]).logits


def test_a_merged_adapter_answers_like_the_adapter_on_its_base(base: Path, adapter: Path, out: Path) -> None:
    release(adapter, out, merge=True)
    assert not (out / "adapter_config.json").exists()
    assert torch.allclose(logits(out), logits(adapter), atol=1e-5)
    assert not torch.allclose(logits(out), logits(base), atol=1e-3)


def test_an_adapter_names_the_base_it_is_told_to(adapter: Path, out: Path) -> None:
    release(adapter, out, base="someone/base")
    config = json.loads((out / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "someone/base"
    assert checkpoint.identify(out) == checkpoint.identify(adapter)


def test_full_weights_are_copied_as_they_are(base: Path, out: Path) -> None:
    release(base, out)
    assert checkpoint.identify(out) == checkpoint.identify(base)
    assert torch.equal(logits(out), logits(base))


@pytest.mark.parametrize(("merge", "named", "option"), [(True, "", "--merge"), (False, "a/b", "--base")])
def test_full_weights_have_no_base(base: Path, out: Path, merge: bool, named: str, option: str) -> None:
    with pytest.raises(UsageError, match=f"{option}: .* is no adapter"):
        release(base, out, merge=merge, base=named)
