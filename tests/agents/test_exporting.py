import json
import os
from pathlib import Path
from typing import Any

import pytest
from datasets import load_dataset
from huggingface_hub import metadata_load

from evolvent.agents.exports import cards, dataset
from evolvent.agents.exports.dataset import Format
from evolvent.agents.exports.exporting import MARK, export_data, export_model
from evolvent.memory import files
from evolvent.memory.errors import RunError, UsageError
from evolvent.memory.reading import Run
from evolvent.memory.records import Fate
from evolvent.training import checkpoint

from ..memory.runs import make_run, story
from .handed import make_shared, make_students

FORMATS: tuple[Format, ...] = ("trl", "sharegpt", "alpaca", "parquet")
NASTY = (
    "---\n# h\n![x](http://e.vil/i.png) <script>1</script> | `c` ```\n```\ntags: [evil]"
    "\u202e $x$ @all &lt; {{x}}\x1b[2J"
)
"""Ends of the head and of code, pictures, tags, cells, formulas, names, entities, templates, escapes."""


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_students(tmp_path_factory.mktemp("built"))


@pytest.fixture
def run(built: Path, tmp_path: Path) -> Run:
    return Run.load(make_shared(tmp_path, built))


def rows_of(path: Path) -> list[dict[str, Any]]:
    kind = "parquet" if path.suffix == ".parquet" else "json"
    return load_dataset(kind, data_files=str(path), split="train", cache_dir=str(path.parent / "cache")).to_list()


def head_of(card: str, folder: Path) -> dict[str, Any]:
    """The head as the Hub reads it."""
    (folder / "card.md").write_text(card)
    return metadata_load(folder / "card.md") or {}


def said(format: Format, row: dict[str, Any]) -> tuple[str, str]:
    """Prompt and answer, from where a format keeps them."""
    if format == "trl":
        assert (row["prompt"][0]["role"], row["completion"][0]["role"]) == ("user", "assistant")
        return row["prompt"][0]["content"], row["completion"][0]["content"]
    if format == "sharegpt":
        assert [turn["from"] for turn in row["conversations"]] == ["human", "gpt"]
        return row["conversations"][0]["value"], row["conversations"][1]["value"]
    return (row["instruction"], row["output"]) if format == "alpaca" else (row["prompt"], row["completion"])


@pytest.mark.parametrize("format", FORMATS)
def test_samples_come_back_from_every_format_with_their_origin(format: Format, built: Path, tmp_path: Path) -> None:
    run = Run.load(make_shared(tmp_path, built, NASTY, prompt=f"17{NASTY}"))
    export_data(run, format, tmp_path / "out", rejected=False, force=False)
    (row,) = rows_of(tmp_path / "out" / f"train{dataset.ending(format)}")
    assert said(format, row) == (f"17{NASTY} kept", NASTY)
    assert (row["skill"], row["round"], row["teacher"], row["reason"]) == ("carry", 1, "program", "kept")
    assert row["hypothesis"] == NASTY
    assert row["sample"] in {id for (id,) in run.ledger.rows("select id from records where kind = 'sample'")}


def test_rejected_samples_say_why(run: Run, tmp_path: Path) -> None:
    made = export_data(run, "alpaca", tmp_path / "no.jsonl", rejected=True, force=False)
    (row,) = rows_of(tmp_path / "no.jsonl")
    assert (made["samples"], row["instruction"]) == (1, "17+25 refused")
    assert row["reason"].startswith("leak: ")
    assert "turned down because" in (tmp_path / "no.md").read_text()


def test_a_round_that_a_person_refused_is_not_among_the_kept(tmp_path: Path) -> None:
    run = Run.load(make_run(tmp_path, story()))
    assert len(dataset.samples(run)) == 1
    path = run.path
    run.close()
    _review(path, approved=False)
    again = Run.load(path)
    assert dataset.samples(again) == []
    assert {row["reason"] for row in dataset.samples(again, rejected=True)} >= {dataset.REFUSED}


def _review(path: Path, *, approved: bool) -> None:
    from contextlib import closing

    from evolvent.memory.ledger import Ledger

    with closing(Ledger(path / "ledger.sqlite")) as ledger:
        ledger.intend("review", "review", 1)
        ledger.commit("review", {"approved": approved}, [], 0.0, meta={})


def test_the_hubs_loader_finds_the_data_of_a_folder_by_its_card(run: Run, tmp_path: Path) -> None:
    export_data(run, "trl", tmp_path / "out", rejected=False, force=False)
    loaded = load_dataset(str(tmp_path / "out"), split="train", cache_dir=str(tmp_path / "cache"))
    assert loaded.num_rows == 1


def test_the_card_of_a_student_has_its_exams_its_decision_and_its_command(run: Run, tmp_path: Path) -> None:
    export_model(run, "final", tmp_path / "out", merge=False, base="", force=False)
    card = (tmp_path / "out" / "README.md").read_text()
    head = head_of(card, tmp_path)
    assert (head["library_name"], head["pipeline_tag"]) == ("transformers", "text-generation")
    assert head["model-index"][0]["results"][0]["metrics"][0]["value"] == 0.75
    for part in ("25.0 % → 75.0 %, +50.0 points [", "promoted in round 1", "3 items won and 1 lost", "| plain | 0.0 |"):
        assert part in card
    assert "evolvent run scenario.toml --seed 3 '--set=description=fails where" in card
    assert (tmp_path / "out" / "scenario.toml").is_file()
    assert checkpoint.identify(tmp_path / "out") == checkpoint.identify(run.path / "rounds/001/model")


@pytest.mark.parametrize("which", ["base", "1", "final"])
def test_no_text_becomes_markup_or_a_key_of_a_card(which: str, built: Path, tmp_path: Path) -> None:
    run = Run.load(make_shared(tmp_path, built, NASTY))
    plain = Run.load(make_shared(tmp_path / "plain", built))
    for one, place in ((run, "nasty"), (plain, "tame")):
        export_model(one, which, tmp_path / place, merge=False, base="", force=False)
    nasty, tame = ((tmp_path / place / "README.md").read_text() for place in ("nasty", "tame"))
    assert head_of(nasty, tmp_path) == head_of(tame, tmp_path)
    assert _structure(nasty) == _structure(tame)


def test_no_name_of_a_skill_becomes_markup_or_a_key_of_a_card(run: Run) -> None:
    from evolvent.agents import session

    rows = [{**row, "skill": NASTY, "teacher": NASTY, "reason": NASTY} for row in dataset.samples(run)]
    found = session.result(run.path) | {"scenario": f"no: [{NASTY}", "description": NASTY}
    card = cards.data_card(run, found, rows, file="a: b.jsonl", format="trl", rejected=True, command=NASTY)
    head = head_of(card, run.path)
    assert set(head) == {"pretty_name", "task_categories", "size_categories", "tags", "configs"}
    assert head["configs"][0]["data_files"] == [{"split": "train", "path": "a: b.jsonl"}]
    assert "evil" not in head["tags"]
    assert [line for line in _structure(card) if line.startswith("#")] == ["#", "##", "##"]


def _structure(card: str) -> list[str]:
    """What a reader of Markdown takes for markup, outside of code, line by line."""
    body, kinds, fence = card.split("\n---\n", 1)[1], list[str](), ""
    for line in body.splitlines():
        ticks = line[: len(line) - len(line.lstrip("`"))]
        if len(ticks) >= 3 and (not fence or line == fence):
            fence = "" if fence else ticks
            kinds.append("fence")
        elif line and not fence:
            bare = line.replace("\\\\", "").split("\\")
            active = "".join(part[1:] if i else part for i, part in enumerate(bare))
            assert not set("<>$@&{}") & set(active), line
            assert "](" not in active
            kinds.append(line.split()[0] if line.startswith("#") else f"row of {active.count('|')}")
    assert not fence
    return [kind for kind in kinds if kind != "row of 0"]


@pytest.mark.parametrize("target", ["out", "out.jsonl"])
def test_what_exists_is_replaced_only_when_asked(target: str, run: Run, tmp_path: Path) -> None:
    out = tmp_path / target
    export_data(run, "trl", out, rejected=False, force=False)
    with pytest.raises(UsageError, match=r"exists already; .* --force"):
        export_data(run, "trl", out, rejected=True, force=False)
    made = export_data(run, "trl", out, rejected=True, force=True)
    assert made["rejected"] is True
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


def test_a_folder_that_no_export_wrote_is_never_replaced(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    for target in (tmp_path / "mine", run.path, run.path / "rounds/001"):
        with pytest.raises(UsageError, match="was not written by an export"):
            export_model(run, "final", target, merge=False, base="", force=True)
    assert (tmp_path / "mine" / "letter.txt").read_text() == "dear"


def test_an_export_that_fails_leaves_nothing(run: Run, tmp_path: Path) -> None:
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(UsageError, match="holds all weights and is no adapter; leave --merge away"):
        export_model(run, "final", tmp_path / "out", merge=True, base="", force=False)
    assert sorted(os.listdir(tmp_path)) == before


@pytest.mark.parametrize("which", ["2", "last", "", "-1", "../base", "²"])
def test_an_unknown_student_is_refused_with_those_there_are(which: str, run: Run, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="known: final, base, 1"):
        export_model(run, which, tmp_path / "out", merge=False, base="", force=False)


def test_a_damaged_student_is_not_handed_on(run: Run, tmp_path: Path) -> None:
    (run.path / "rounds/001/model/config.json").write_text("{}")
    with pytest.raises(RunError, match="is damaged or incomplete"):
        export_model(run, "1", tmp_path / "out", merge=False, base="", force=False)


def test_neither_pickles_nor_links_are_handed_on(run: Run, tmp_path: Path) -> None:
    (run.path / "base" / "training_args.bin").write_bytes(b"\x80\x04.")
    (run.path / "base" / "modeling.py").write_text("print()")
    files.seal(run.path / "base")
    export_model(run, "base", tmp_path / "out", merge=False, base="", force=False)
    assert {p.suffix for p in (tmp_path / "out").iterdir()} <= {".json", ".safetensors", ".jinja", ".md", ".toml"}
    (run.path / "base" / "secret.json").symlink_to("/etc/hostname")
    files.seal(run.path / "base")
    with pytest.raises(RunError, match="is a link"):
        export_model(run, "base", tmp_path / "out", merge=False, base="", force=True)


def test_an_export_says_where_it_comes_from(run: Run, tmp_path: Path) -> None:
    export_model(run, "1", tmp_path / "out", merge=False, base="", force=False)
    mark = json.loads((tmp_path / "out" / MARK).read_text())
    assert (mark["export"], mark["run"], mark["student"], mark["seed"]) == ("model", run.name, "student-1", 3)


def test_a_run_with_nothing_kept_has_nothing_to_export(tmp_path: Path) -> None:
    run = Run.load(make_run(tmp_path, [r for r in story() if not isinstance(r, Fate)]))
    with pytest.raises(UsageError, match="no kept samples to export"):
        export_data(run, "trl", tmp_path / "out", rejected=False, force=False)


@pytest.mark.slow
def test_trl_trains_on_what_is_written_for_it(run: Run, built: Path, tmp_path: Path) -> None:
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    export_data(run, "trl", tmp_path / "data.jsonl", rejected=False, force=False)
    rows = load_dataset(
        "json", data_files=str(tmp_path / "data.jsonl"), split="train", cache_dir=str(tmp_path / "cache")
    )
    model, tokenizer = checkpoint.load(built)
    arguments = SFTConfig(
        output_dir=str(tmp_path / "out"), max_steps=1, report_to=[], use_cpu=True, bf16=False, save_strategy="no",
        disable_tqdm=True,
    )  # fmt: skip
    trainer = SFTTrainer(model, args=arguments, train_dataset=rows, processing_class=tokenizer)
    (batch,) = trainer.get_train_dataloader()
    learned = [token for token, label in zip(batch["input_ids"][0], batch["labels"][0], strict=True) if label != -100]
    assert str(tokenizer.decode(learned)).startswith("fails where a digit carries")
    assert trainer.train().global_step == 1
