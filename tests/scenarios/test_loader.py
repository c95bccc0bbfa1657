from pathlib import Path

import pytest

from evolvent.memory.errors import ScenarioError
from evolvent.scenarios import loader

WHOLE = """
name = "small"
source = { name = "arithmetic" }
[skills.add]
task = { operation = "add" }
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "small.toml"
    path.write_text(text)
    return path


def test_a_file_needs_only_a_name_a_source_and_skills(tmp_path: Path) -> None:
    scenario = loader.load(write(tmp_path, WHOLE))
    assert (scenario.name, scenario.targets, scenario.guards) == ("small", ["add"], [])


def test_a_missing_file_names_the_shipped_ones() -> None:
    with pytest.raises(ScenarioError, match=r"nothing\.toml: no such scenario file; .*arithmetic\.toml, .*dates\.toml"):
        loader.load(Path("nothing.toml"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("name = ", r"small\.toml: not a TOML file: invalid value \(at "),
        ('name = "a"\nname = "b"', r"not a TOML file: cannot overwrite a value"),
        ("a = " + "[" * 40 + "]" * 40, r"tables nested deeper than 32"),
        ("a = " + "[" * 5000 + "]" * 5000, r"not a TOML file: "),
        (WHOLE + "[rouds]\nmost = 3", r"small\.toml has no setting 'rouds'; did you mean 'rounds'\?"),
        (WHOLE + "[rounds]\nmots = 3", r"no setting 'mots' in 'rounds'; did you mean 'most'\?"),
        (WHOLE + "[skills.x]\ngaurd = true", r"no setting 'gaurd' in 'skills\.x'; did you mean 'guard'\?"),
        (WHOLE + '[rounds]\nmost = "ten"', r"rounds\.most: input should be a valid integer.*, not 'ten'"),
        (WHOLE + "[splits]\nprobe = 0.7", r"splits: probe \+ exam \+ report is 1\.10; leave at least 0\.1"),
        (WHOLE + '[train]\nlaunch = "a b"', r"train\.launch: write a list of words, \['a', 'b'\]: there is no shell"),
        (WHOLE + '[train]\nlaunch = ["a"]', r"train: launch starts a process; write process = \"child\""),
        (WHOLE + '[train]\nproces = "child"', r"no setting 'proces' in 'train'; did you mean 'process'\?"),
        (WHOLE.replace('name = "small"', ""), r"small\.toml needs 'name'"),
        (WHOLE.replace('name = "arithmetic"', ""), r"small\.toml needs 'source\.name'"),
        (WHOLE.replace("small", "../up"), r"name: string should match pattern"),
        (WHOLE + "guard = true", r"every skill is a guard"),
        (WHOLE + "[student.first.skills]\nsub = []", r"names 'sub', which is not a skill"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(ScenarioError, match=reason) as caught:
        loader.load(write(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_a_file_of_more_than_a_mebibyte_is_refused_unread(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"1,048,577 bytes; a scenario may have 1,048,576"):
        loader.load(write(tmp_path, "#" * (loader.LARGEST + 1)))


def test_a_file_that_is_not_utf_8_names_the_byte(tmp_path: Path) -> None:
    path = tmp_path / "latin.toml"
    path.write_bytes('name = "é"'.encode("latin-1"))
    with pytest.raises(ScenarioError, match="byte 8 is not UTF-8"):
        loader.load(path)


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    assert loader.load(write(tmp_path, "\ufeff" + WHOLE)).name == "small"


def test_overrides_are_read_as_toml_and_otherwise_as_text(tmp_path: Path) -> None:
    overrides = ["rounds.most=2", "name = other", "skills.add.task.carries=[0, 1]"]
    scenario = loader.load(write(tmp_path, WHOLE), overrides)
    assert (scenario.rounds.most, scenario.name) == (2, "other")
    assert scenario.skills["add"].task == {"operation": "add", "carries": [0, 1]}


def test_an_override_reaches_into_a_part_in_its_short_form(tmp_path: Path) -> None:
    scenario = loader.load(write(tmp_path, 'trainer = "sft"\n' + WHOLE), ["trainer.epochs=2"])
    assert (scenario.trainer.name, scenario.trainer.settings) == ("sft", {"epochs": 2})


@pytest.mark.parametrize(
    ("override", "reason"),
    [
        ("rounds.most", "write it as key.path=value"),
        ("=3", "write it as key.path=value"),
        ("rounds..most=3", "write it as key.path=value"),
        ("rounds.mots=3", "did you mean 'most'"),
        ("version.major=3", "'version' is a value, not a table"),
    ],
)
def test_an_override_that_cannot_be_meant_is_refused(tmp_path: Path, override: str, reason: str) -> None:
    with pytest.raises(ScenarioError, match=reason):
        loader.load(write(tmp_path, "version = 1\n" + WHOLE), [override])


def test_the_path_of_a_source_is_relative_to_the_scenario_and_an_override_to_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, WHOLE.replace('"arithmetic"', '"file", path = "mine.jsonl"'))
    monkeypatch.chdir("/")
    assert loader.load(path).source.settings["path"] == str(tmp_path / "mine.jsonl")
    assert loader.load(path, ["source.path=other.jsonl"]).source.settings["path"] == "/other.jsonl"


def test_a_path_may_begin_with_the_folder_of_the_public_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, WHOLE.replace('"arithmetic"', '"file", path = "$EVOLVENT_DATA/sums.jsonl"'))
    monkeypatch.setenv("EVOLVENT_DATA", str(tmp_path / "public"))
    assert loader.load(path).source.settings["path"] == str(tmp_path / "public" / "sums.jsonl")
    monkeypatch.setenv("EVOLVENT_DATA", "public")
    monkeypatch.chdir(tmp_path)
    assert loader.load(path).source.settings["path"] == str(tmp_path / "public" / "sums.jsonl")
    monkeypatch.delenv("EVOLVENT_DATA")
    with pytest.raises(
        ScenarioError, match=r"^\$EVOLVENT_DATA/sums.jsonl: EVOLVENT_DATA is not set; set it to the folder"
    ):
        loader.load(path)


def test_a_folder_of_the_student_is_relative_to_the_scenario_and_an_id_on_the_hub_is_no_folder(tmp_path: Path) -> None:
    path = write(tmp_path, WHOLE + '[student]\nmodel = "models/one"')
    commit = "0" * 40
    assert loader.load(path).student.model == str(tmp_path / "models/one")
    assert loader.load(path, ["student.model=/two"]).student.model == "/two"
    assert loader.load(path, ["student.model=~/two"]).student.model == str(Path("~/two").expanduser())
    assert loader.load(path, [f"student.revision={commit}"]).student.model == "models/one"
    with pytest.raises(ScenarioError, match=r"student: revision belongs to a model on the hub, and '/two' is none"):
        loader.load(path, [f"student.revision={commit}", "student.model=/two"])


def test_a_student_that_is_brought_has_no_size_and_is_read_again_as_it_was_written(tmp_path: Path) -> None:
    scenario = loader.load(write(tmp_path, WHOLE + '[student]\nmodel = "one"\nstop = ["x"]'))
    written = scenario.model_dump(mode="json")
    assert written["student"].keys() == {"engine", "model", "stop"}
    assert loader.parse(written, where="again") == scenario
    assert loader.parse(written, where="again").hash == scenario.hash


def test_the_hash_changes_with_any_setting_and_with_nothing_else(tmp_path: Path) -> None:
    path = write(tmp_path, WHOLE)
    assert loader.load(path).hash == loader.load(path, ["rounds.most=4"]).hash
    assert loader.load(path).hash != loader.load(path, ["rounds.most=5"]).hash


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    path = write(tmp_path, WHOLE + "[rounds]\nmots = 2\nsamples = 1\n[gate]\nalpha = 2\n")
    with pytest.raises(ScenarioError) as error:
        loader.load(path)
    said = str(error.value)
    assert said.count("small.toml") == 1
    assert [part for part in ("gate.alpha: ", "rounds.samples: ", "'mots' in 'rounds'") if part not in said] == []


def test_a_long_list_of_mistakes_is_cut(tmp_path: Path) -> None:
    path = write(tmp_path, "".join(f"x{n} = 1\n" for n in range(30)) + WHOLE)
    with pytest.raises(ScenarioError, match=r"; and 20 more$"):
        loader.load(path)


def test_a_run_that_was_begun_may_be_given_another_budget_and_nothing_else(tmp_path: Path) -> None:
    scenario = loader.load(write(tmp_path, WHOLE), ["budget.usd=1"])
    raised = loader.rebudget(scenario, ["budget.usd=5", "budget.tokens=1000"], where="run")
    assert (raised.budget.usd, raised.budget.tokens, raised.hash) == (5, 1000, scenario.hash)
    for override, reason in (
        (
            "rounds.most=1",
            "only budget.tokens, budget.usd, budget.wall_clock, budget.gpu_seconds, budget.disk, keep.checkpoints can",
        ),
        ("budget.euro=3", "no setting 'euro' in 'budget'"),
        ("budget.usd=0", "budget.usd"),
    ):
        with pytest.raises(ScenarioError, match=reason):
            loader.rebudget(scenario, [override], where="run")


def test_where_a_round_is_trained_is_no_part_of_a_scenario_that_does_not_say_so(tmp_path: Path) -> None:
    plain = loader.load(write(tmp_path, WHOLE))
    assert "train" not in plain.model_dump()
    assert loader.load(write(tmp_path, WHOLE + '[train]\nprocess = "inline"')).hash == plain.hash


def test_a_teacher_is_looked_for_beside_the_file_that_names_it(tmp_path: Path) -> None:
    text = WHOLE + '[trainer]\nname = "distill"\nteacher = "teachers/large"'
    trainer = loader.load(write(tmp_path, text)).trainer
    assert trainer.settings["teacher"] == str(tmp_path / "teachers" / "large")


def test_folders_of_models_that_scorers_read_are_made_absolute_and_names_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "small").mkdir()
    path = tmp_path / "s.toml"
    path.write_text(
        'name = "s"\nsource = "arithmetic"\n[skills.add]\n[curation]\ncandidates = 2.0\n'
        'scorer = { name = "ifd", model = "small" }\n[models.scorer]\nname = "transformers"\nmodel = "small"\n'
        '[models.judge]\nname = "openai"\nmodel = "small-but-elsewhere"\n'
    )
    read = loader.load(path)
    assert read.curation.scorer is not None
    assert read.curation.scorer.settings["model"] == str(tmp_path / "small")
    assert read.models["scorer"].settings["model"] == str(tmp_path / "small")
    assert read.models["judge"].settings["model"] == "small-but-elsewhere"
