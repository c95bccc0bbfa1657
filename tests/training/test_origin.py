from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from evolvent.memory.errors import ScenarioError, UnavailableError
from evolvent.memory.files import file_digest
from evolvent.scenarios.student import Student
from evolvent.training import checkpoint
from evolvent.training.origin import check, locate, parameters, place

from .brought import CHATML, FORGETFUL, adopt, make_model

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.slow
def test_a_model_in_one_file_and_the_same_in_several_are_the_same_student_to_whoever_loads_them(tmp_path: Path) -> None:
    one, many = make_model(tmp_path / "one"), make_model(tmp_path / "many", shard="50KB")
    assert (checkpoint.identify(one), len(checkpoint.weights(one))) == (
        file_digest(one / "model.safetensors")[:16],
        1,
    )
    assert len(checkpoint.weights(many)) > 1
    assert checkpoint.tensors(one) == checkpoint.tensors(many)
    loaded: list[Any] = [checkpoint.load(folder)[0].state_dict() for folder in (one, many)]
    assert all(bool((loaded[1][name] == value).all()) for name, value in loaded[0].items())
    assert checkpoint.identify(many) == checkpoint.identify(make_model(tmp_path / "again", shard="50KB"))
    assert checkpoint.identify(many) != checkpoint.identify(make_model(tmp_path / "else", shard="50KB", seed=1))


@pytest.mark.slow
def test_a_model_is_taken_as_it_is_with_the_manner_the_scenario_asks_for(tmp_path: Path) -> None:
    model = make_model(tmp_path / "model", shard="50KB")
    (model / "pytorch_model.bin").write_bytes(b"pickle")
    base = adopt(model, tmp_path / "base", system="You add.")
    assert not (base / "pytorch_model.bin").exists()
    shard = checkpoint.weights(base)[0]
    assert shard.samefile(model / shard.name)
    student = Student(model=str(model))
    assert parameters(student) == sum(p.numel() for p in checkpoint.load(base)[0].parameters())
    assert check(student).positions == 128


@pytest.mark.slow
@pytest.mark.parametrize(
    ("gone", "there", "said"),
    [
        ("model.safetensors", {"pytorch_model.bin": "pickle"}, "can run code when it is read"),
        ("model.safetensors", {}, "no model.safetensors in that folder"),
        ("config.json", {}, "no config.json in that folder"),
        ("", {"adapter_config.json": "{}"}, "merge the two"),
        ("", {"config.json": '{"model_type": "own", "auto_map": {}}'}, "is never run"),
        ("", {"config.json": '{"model_type": "clip"}'}, "does not write text"),
        ("chat_template.jinja", {}, r"has no chat template, .* chat_template.jinja"),
    ],
)
def test_a_model_that_cannot_be_a_student_is_refused_with_the_way_out(
    gone: str, there: Mapping[str, str], said: str, tmp_path: Path
) -> None:
    model = make_model(tmp_path / "model")
    if gone:
        (model / gone).unlink()
    for name, text in there.items():
        (model / name).write_text(text)
    with pytest.raises(ScenarioError, match=rf"student.model '.*': .*{said}"):
        check(Student(model=str(model)))


@pytest.mark.slow
def test_an_index_that_leads_out_of_its_folder_is_not_followed(tmp_path: Path) -> None:
    model = make_model(tmp_path / "model")
    (model / "model.safetensors").rename(tmp_path / "outside.safetensors")
    (model / checkpoint.INDEX).write_text('{"weight_map": {"a": "../outside.safetensors"}}')
    with pytest.raises(UnavailableError, match=r"outside\.safetensors', which is no file there"):
        checkpoint.identify(model)


@pytest.mark.slow
def test_a_template_that_asks_otherwise_than_it_teaches_is_refused_until_its_arguments_agree(tmp_path: Path) -> None:
    model = make_model(tmp_path / "model", template=FORGETFUL)
    with pytest.raises(ScenarioError, match=r"asks with '<think>.*choose student.template so that both agree"):
        check(Student(model=str(model), template={"enable_thinking": False}))
    check(Student(model=str(model)))


@pytest.mark.slow
def test_a_turn_that_ends_with_no_known_token_names_the_setting(tmp_path: Path) -> None:
    model = make_model(tmp_path / "model", eos="<|endoftext|>")
    (model / "generation_config.json").unlink()
    with pytest.raises(ScenarioError, match=r"name the token that does in student.stop"):
        check(Student(model=str(model)))
    check(Student(model=str(model), stop=("<|im_end|>",)))


@pytest.mark.slow
def test_a_template_that_writes_the_date_is_refused_until_the_date_is_fixed(tmp_path: Path) -> None:
    dated = "{% if not date_string is defined %}{% set date_string = strftime_now('%d %b %Y') %}{% endif %}"
    model = make_model(tmp_path / "model", template=f"{dated}{{{{ date_string }}}}{CHATML}")
    with pytest.raises(ScenarioError, match=r"today's date.*date_string = '26 Jul 2024'"):
        check(Student(model=str(model)))
    check(Student(model=str(model), template={"date_string": "26 Jul 2024"}))


def test_a_folder_that_is_not_there_is_not_available(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=r"no such folder; a model on the hub is named 'owner/name'"):
        locate(Student(model=str(tmp_path / "none")))


@pytest.mark.slow
def test_a_model_on_the_hub_that_cannot_be_had_is_not_available(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    student = Student(model="owner/name", revision=COMMIT)
    with pytest.raises(UnavailableError, match=r"'owner/name': commit 0123456789ab cannot be had from the hub"):
        place(student, tmp_path)


@pytest.mark.slow
def test_a_commit_that_lies_in_the_cache_of_this_machine_is_taken_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    model = make_model(tmp_path / "hub" / "models--owner--name" / "snapshots" / COMMIT)
    student = Student(model="owner/name", revision=COMMIT)
    assert check(student).positions == 128
    (tmp_path / "base").mkdir()
    place(student, tmp_path / "base")
    assert checkpoint.identify(tmp_path / "base") == checkpoint.identify(model)
    (model / "model.safetensors").unlink()
    with pytest.raises(UnavailableError, match=r"student.model 'owner/name': .*no model.safetensors"):
        place(student, tmp_path)
