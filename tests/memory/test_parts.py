from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import ValidationError

from evolvent.memory.embedder import Embedder
from evolvent.memory.embedders.hashing import Hashing
from evolvent.memory.errors import PartError
from evolvent.memory.parts import Part, PartSpec, find, known, load

EMBEDDERS = "evolvent.memory.embedders"
OWN = """
from evolvent.memory.parts import Part
class Mine(Part):
    size: int = 3
"""


class Thing(Part):
    """A part of a family of its own."""

    kind: ClassVar[str] = "thing"


def load_embedder(spec: object) -> Part:
    return load(PartSpec.model_validate(spec), base=Embedder, package=EMBEDDERS, where="mini.toml")


def test_the_folder_is_the_list_of_parts() -> None:
    assert known(EMBEDDERS) == sorted(
        p.stem for p in Path(known.__code__.co_filename).parent.glob("embedders/[a-z]*.py")
    )


@pytest.mark.parametrize("spec", ["hashing", {"name": "hashing"}, {"name": "hashing", "settings": {}}])
def test_a_part_is_named_by_a_word_or_a_table(spec: object) -> None:
    assert load_embedder(spec) == Hashing()


def test_a_part_says_its_name_and_its_settings() -> None:
    part = load_embedder({"name": "hashing", "size": 64})
    assert part.describe() == {**Hashing().describe(), "name": "hashing", "size": 64}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("hashin", r"mini.toml: no embedder called 'hashin'; known: .*did you mean 'hashing'"),
        ("../hashing", r"mini.toml: embedder '../hashing' is a module of your own; allow it with --allow-import"),
        ("os.path", r"module of your own; allow it with --allow-import"),
        ("__init__", r"no embedder called '__init__'"),
        ("", r"no embedder called ''"),
        ({"name": "hashing", "sise": 3}, r"embedder 'hashing' has no setting 'sise'; did you mean 'size'\?; known: "),
        ({"name": "hashing", "size": "wide"}, r"embedder 'hashing': size: input should be a valid integer.*'wide'"),
        ({"name": "hashing", "size": -1}, r"embedder 'hashing': size: input should be greater than"),
    ],
)
def test_a_part_that_cannot_be_had_is_explained_in_one_line(spec: object, message: str) -> None:
    with pytest.raises(PartError, match=message) as caught:
        load_embedder(spec)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("spec", [{"size": 3}, {"name": 3}, {"name": ["hashing"]}, 3, None])
def test_a_part_without_a_name_is_refused(spec: object) -> None:
    with pytest.raises(ValidationError):
        PartSpec.model_validate(spec)


def test_a_module_of_ones_own_is_loaded_with_permission_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_parts").mkdir()
    (tmp_path / "own_parts" / "__init__.py").touch()
    (tmp_path / "own_parts" / "mine.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(PartError, match="allow it with --allow-import"):
        find("own_parts.mine", base=Part, package=EMBEDDERS, where="mini.toml")
    part = find("own_parts.mine", base=Part, package=EMBEDDERS, where="mini.toml", allow_import=True)
    assert part().describe() == {"name": "mine", "size": 3}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere.to.be_found", "thing 'nowhere.to.be_found' cannot be imported: No module named 'nowhere'"),
        ("json.decoder", "json.decoder holds 0 classes of kind thing; it must hold one"),
    ],
)
def test_a_module_of_ones_own_that_does_not_fit_is_explained(name: str, message: str) -> None:
    with pytest.raises(PartError, match=message):
        find(name, base=Thing, package=EMBEDDERS, where="mini.toml", allow_import=True)


def test_a_part_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Hashing().size = 5  # type: ignore[misc]  # that is what is tested
