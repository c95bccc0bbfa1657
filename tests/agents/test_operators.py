import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolvent.agents.desk import Desk
from evolvent.agents.nodes.critique import Judgement
from evolvent.agents.nodes.generate import Generation
from evolvent.agents.operating import Material, Weighted, deal, gather
from evolvent.agents.operator import UNCHANGED, Operator
from evolvent.agents.parts import Parts
from evolvent.agents.reasoned import lost
from evolvent.memory.errors import PartError
from evolvent.memory.origin import Origin, Parent
from evolvent.memory.parts import PartSpec, find, known, load
from evolvent.memory.records import Attempt, Critique, Sample, Share, Task, Verdict, Weakness
from evolvent.memory.tables import samples
from evolvent.scenarios.source import Source
from evolvent.training.reading import Characters

from ..endpoint import MODEL, serving
from ..judging import solve
from ..teaching import Teaching
from .desks import make_desk, make_scenario
from .test_graph import make_state

PACKAGE = "evolvent.agents.operators"
NAMES = known(PACKAGE)
SKILLS = {
    "plain": {"guard": True, "task": {"operation": "add", "carries": [0, 0]}},
    "carry": {"task": {"operation": "add", "carries": [1, 3]}},
}


@pytest.fixture
def endpoint() -> Iterator[Teaching]:
    taught = Teaching()
    with serving(taught):
        yield taught


def build(name: str, **settings: Any) -> Operator:
    return load(PartSpec(name=name, settings=settings), base=Operator, package=PACKAGE, where="test")


def make_models(endpoint: Teaching) -> dict[str, Any]:
    part = {"name": "openai", "base_url": endpoint.url, "model": MODEL, "deadline": 5}
    return {"teacher": part, "judge": part}


def make_operated(endpoint: Teaching, folder: Path, operators: Any = tuple(NAMES), **teacher: Any) -> Desk:
    named = {"name": "llm", "operators": operators, **teacher}
    return make_desk(folder, teacher=named, models=make_models(endpoint), skills=SKILLS, verifier="numeric")


def on_file(endpoint: Teaching, folder: Path, *operators: str) -> Desk:
    """A desk whose rows have a document beside them."""
    pairs = [
        ("carry" if a % 10 + b % 10 > 9 else "plain", f"{a}+{b}")
        for a in range(111, 999, 37)
        for b in range(111, 999, 31)
    ]
    rows = [
        {"prompt": p, "answer": solve(p), "skill": skill, "notes": f"note on <{p}>"} for skill, p in pairs
    ]  # fmt: skip
    (folder / "tasks.jsonl").write_text("\n".join(map(json.dumps, rows)))
    source = {"name": "file", "path": str(folder / "tasks.jsonl"), "procedural": True, "context": "notes"}
    teacher = {"name": "llm", "operators": list(operators)}
    skills = {"plain": {"guard": True}, "carry": {}}
    models = make_models(endpoint)
    return make_desk(folder, teacher=teacher, models=models, source=source, skills=skills, verifier="numeric")


def make_share(samples: int = 16, weakness: Weakness | None = None) -> Share:
    return Share(
        round=1, skill="carry", weakness=weakness.id if weakness else None, samples=samples, reason="test"
    )  # fmt: skip


def failures(desk: Desk, count: int = 6, having: tuple[str, ...] = ("sum 9",)) -> list[Attempt]:
    tasks = desk.splits.draw("carry", "probe", count, stream="test", having=having)
    return [Attempt(task=t, student="s", round=1, purpose="probe", answer="?", verdict=Verdict(score=0)) for t in tasks]


def make_weakness(*failed: Attempt, rule: tuple[str, ...] = ("sum 9",)) -> Weakness:
    ids = tuple(a.id for a in failed)
    return Weakness(skill="carry", hypothesis="<b>carries</b>", rule=rule, round=1, failures=ids, p_value=0.0)


def record(desk: Desk, name: str, *records: Any) -> None:
    desk.ledger.intend(name, name, 1)
    desk.ledger.commit(name, {}, records, 0.0, meta={})


async def write(desk: Desk, count: int = 16, *, failed: bool = True, attempt: int = 1) -> list[Sample]:
    own, others = failures(desk), failures(desk, having=("sum 8",))
    weakness = make_weakness(*own)
    material = Material(desk.parts.operators, own, others) if failed else Material(desk.parts.operators)
    return await desk.parts.teacher.write(
        make_share(count), weakness, count, desk.splits, attempt=attempt, material=material, models=desk.models
    )


def shown(sample: Sample) -> dict[str, Any]:
    return json.loads(sample.recipe.split("<data>\n")[1].split("\n</data>")[0])


@pytest.mark.parametrize("name", NAMES)
async def test_every_operator_makes_samples_that_know_it_and_their_parents(
    endpoint: Teaching, tmp_path: Path, name: str
) -> None:
    desk = make_operated(endpoint, tmp_path, [name])
    written = await write(desk)
    assert 12 <= len(written) <= 16
    known_failures = {a.id for a in [*failures(desk), *failures(desk, having=("sum 8",))]}
    (operator,) = (w.operator for w in desk.parts.operators)
    for sample in written:
        assert sample.origin is not None
        assert sample.origin.operator == name
        assert len(sample.origin.parents) == operator.takes
        for parent in sample.origin.parents:
            assert parent.id in known_failures if parent.kind == "failure" else desk.splits.part(parent.id) == "train"
    kinds = {p.kind for s in written for p in (s.origin.parents if s.origin else ())}
    assert kinds == ({"seed", "failure"} if operator.renews else {"seed"})
    desk.close()


@pytest.mark.parametrize("name", NAMES)
async def test_every_operator_tells_the_model_what_the_student_fails_on_as_data(
    endpoint: Teaching, tmp_path: Path, name: str
) -> None:
    desk = make_operated(endpoint, tmp_path, [name])
    written = await write(desk, 4)
    assert all("<b>" not in s.recipe for s in written)
    assert all(set(shown(s)) == {"items", "examples"} for s in written)
    desk.close()


@pytest.mark.parametrize("name", NAMES)
def test_a_prompt_of_an_operator_that_names_what_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(PartError, match=rf"operator '{name}': prompt: a prompt names 'dta'; it may name: data, "):
        build(name, prompt="{{ dta }}")


@pytest.mark.parametrize("name", NAMES)
def test_every_operator_has_a_prompt_of_its_own_that_shows_its_items(name: str) -> None:
    part = build(name)
    assert "{{ data }}" in part.prompt
    assert len({build(other).prompt for other in NAMES}) == len(NAMES)
    assert list(part.properties()) == sorted(part.asks)


async def test_what_an_operator_keeps_is_its_parents(endpoint: Teaching, tmp_path: Path) -> None:
    desk = make_operated(endpoint, tmp_path, ["rephrase", "rationale", "back_translation"])
    for sample in await write(desk, 30):
        assert sample.origin is not None
        (parent,) = sample.origin.parents
        if sample.origin.operator == "rationale":
            assert sample.task.prompt == parent.prompt
        else:
            assert sample.task.answer == parent.answer
    desk.close()


async def test_an_operator_that_keeps_the_question_starts_from_each_seed_once_and_from_none_that_is_taught(
    endpoint: Teaching, tmp_path: Path
) -> None:
    desk = on_file(endpoint, tmp_path, "rationale")
    share, material = make_share(60), Material(desk.parts.operators)

    async def write(*beside: str) -> list[str]:
        made = await desk.parts.teacher.write(
            share, None, 60, desk.splits, attempt=1, beside=beside, material=material, models=desk.models
        )
        return [sample.task.key for sample in made]

    first = await write()
    assert len(set(first)) == len(first) > 2
    assert set(await write(*first[:2])) == set(first[2:])
    desk.close()


async def test_back_translation_does_not_see_the_question(endpoint: Teaching, tmp_path: Path) -> None:
    desk = make_operated(endpoint, tmp_path, ["back_translation"])
    assert {name for s in await write(desk) for item in shown(s)["items"] for name in item} == {"number", "solution"}
    desk.close()


async def test_a_teacher_reads_the_document_that_the_student_does_not_see(endpoint: Teaching, tmp_path: Path) -> None:
    desk = on_file(endpoint, tmp_path, "similar")
    written = await write(desk, failed=False)
    assert all(item["document"].startswith("note on <") for s in written for item in shown(s)["items"])
    assert all(s.origin and s.origin.document for s in written)
    assert not any("note" in s.task.prompt + s.completion for s in written)
    desk.close()


async def test_seeds_are_a_small_share_of_the_training_tasks(endpoint: Teaching, tmp_path: Path) -> None:
    desk = on_file(endpoint, tmp_path, "similar")
    seen = {item["question"] for s in await write(desk, 60, failed=False) for item in shown(s)["items"]}
    tasks = desk.splits.draw("carry", "train", 1000, stream="all")
    assert 0 < len(seen) < 0.15 * len(tasks)
    desk.close()


async def test_the_same_is_made_again_without_being_paid_again(endpoint: Teaching, tmp_path: Path) -> None:
    desk = make_operated(endpoint, tmp_path)
    first = await write(desk, 24)
    paid = len(endpoint.bodies)
    assert first == await write(desk, 24)
    assert len(endpoint.bodies) == paid
    assert first != await write(desk, 24, attempt=2)
    desk.close()


async def test_weights_share_out_the_samples(endpoint: Teaching, tmp_path: Path) -> None:
    desk = make_operated(endpoint, tmp_path, {"similar": 3, "harder": 1})
    made = [s.origin.operator for s in await write(desk, 40) if s.origin]
    assert 26 <= made.count("similar") <= 30
    assert 7 <= made.count("harder") <= 10
    desk.close()


@given(
    st.dictionaries(st.sampled_from(NAMES), st.floats(0.01, 100), min_size=1), st.integers(0, 500), st.integers(0, 99)
)
def test_whoever_deals_gives_all_and_the_same_again_and_nobody_more_than_a_sample_off(
    weights: dict[str, float], count: int, seed: int
) -> None:
    given = deal(weights, count, Random(seed))
    assert sum(given.values()) == count
    assert given == deal(dict(reversed(weights.items())), count, Random(seed))
    total = sum(weights.values())
    assert all(abs(given[name] - count * weight / total) < 1 + 1e-6 for name, weight in weights.items())


def test_over_many_draws_small_shares_come_to_their_weights() -> None:
    rng = Random(0)
    dealt = [deal({"a": 3, "b": 1}, 1, rng)["a"] for _ in range(400)]
    assert 0.68 < sum(dealt) / 400 < 0.82


async def test_the_node_gives_operators_the_failures_of_the_weakness_and_of_another_one(
    endpoint: Teaching, tmp_path: Path
) -> None:
    desk = make_operated(endpoint, tmp_path, ["compositional"])
    own, others = failures(desk), failures(desk, having=("sum 8",))
    first, second = make_weakness(*own), make_weakness(*others, rule=("sum 8",))
    record(desk, "diagnose", *own, *others, first, second, make_share(8, first))
    await Generation().run(make_state(round=1), desk)
    made = desk.ledger.read(Sample, round=1)
    joined = [s.origin.parents for s in made if s.origin]
    assert {a.id for a in own} & {pair[0].id for pair in joined}
    assert {pair[1].id for pair in joined} <= {a.id for a in others}
    desk.close()


def test_without_operators_nothing_is_gathered(endpoint: Teaching, tmp_path: Path) -> None:
    desk = make_operated(endpoint, tmp_path, [])
    assert gather(desk.parts.operators, make_weakness(), [], desk.ledger) == Material()
    assert "operators" not in desk.parts.describe()
    assert not {"operators", "seeds"} & set(desk.parts.teacher.describe())
    desk.close()


async def judged(desk: Desk, *samples: Sample) -> list[Critique]:
    record(desk, "generate", *samples)
    await Judgement().run({"round": 1, "attempt": 1}, desk)  # type: ignore[typeddict-item]
    return desk.ledger.read(Critique, round=1)


def made_from(desk: Desk, prompt: str, answer: str, operator: str, **origin: Any) -> Sample:
    parent = Parent(kind="seed", id="k", prompt="557+555", answer="0131")
    task = desk.splits.adopt("carry", prompt, answer)
    return Sample(
        task=task, arm="targeted", round=1, weakness=None, teacher="llm", recipe="test",
        origin=Origin(operator=operator, parents=(parent,), **origin),
    )  # fmt: skip


async def test_what_repeats_its_parent_or_edits_nothing_is_refused_with_the_reason(
    endpoint: Teaching, tmp_path: Path
) -> None:
    desk = make_operated(endpoint, tmp_path)
    same = made_from(desk, "557+555", "0131", "similar")
    idle = made_from(desk, "555+557", "0131", "counterfactual")
    critiques = await judged(desk, same, idle)
    assert [(c.judge, c.accepted) for c in critiques] == [("format", False)] * 2
    assert [c.reason for c in critiques] == [UNCHANGED, "unchanged: the edit leaves the answer as it was"]
    desk.close()


async def test_reasoning_is_kept_where_it_leads_to_the_known_answer_and_not_repaired_elsewhere(
    endpoint: Teaching, tmp_path: Path
) -> None:
    desk = make_operated(endpoint, tmp_path)
    right = made_from(desk, "557+555", "0131", "rationale", reasoning="5+5, 5+5, 7+5")
    wrong = made_from(desk, "557+555", "0132", "rationale", reasoning="5+5, 5+5, 7+5")
    critiques = await judged(desk, right, wrong)
    assert {c.sample: (c.judge, c.accepted) for c in critiques} == {
        right.id: ("numeric", True),
        wrong.id: ("numeric", False),
    }
    assert right.completion == "5+5, 5+5, 7+5\n0131"
    assert {row["completion"] for row in samples(desk.ledger).to_pylist()} == {right.completion, wrong.completion}
    assert len(desk.ledger.read(Sample, round=1)) == 2
    desk.close()


def unsolved(self: Source, task: Task) -> None:
    del self, task


async def test_reasoning_has_to_lead_to_the_answer_of_its_seed_where_the_source_works_nothing(
    endpoint: Teaching, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = make_operated(endpoint, tmp_path)
    monkeypatch.setattr(type(desk.parts.source), "solve", unsolved)
    right = made_from(desk, "557+555", "0131", "rationale", reasoning="5+5, 5+5, 7+5")
    wrong = made_from(desk, "557+555", "0132", "rationale", reasoning="5+5, 5+5, 7+5")
    critiques = await judged(desk, right, wrong)
    assert {c.sample: (c.judge, c.accepted) for c in critiques} == {
        right.id: ("numeric", True),
        wrong.id: ("numeric", False),
    }
    assert not any("verdict" in str(body) for body in endpoint.bodies)
    desk.close()


def test_reasoning_stands_between_the_marks_of_a_student_that_has_some() -> None:
    origin = Origin(operator="rationale", parents=(), reasoning="so", marks=("<think>\n", "\n</think>\n\n"))
    assert origin.completion("7") == "<think>\nso\n</think>\n\n7"
    assert origin.judged("7") == "7"
    task = Task(skill="s", prompt="p", answer="7", key="k")
    plain = Sample(task=task, arm="targeted", round=1, weakness=None, teacher="t", recipe="r")
    assert plain.completion == "7"
    assert "origin" not in plain.model_dump()


@pytest.mark.parametrize(
    ("teacher", "reason"),
    [
        ({"operators": ["simlar"]}, r"no operator called 'simlar'; known: .*did you mean 'similar'\?"),
        ({"operators": ["similar", "similar"]}, "operators names 'similar' twice"),
        ({"operators": {"similar": 0}}, r"operators.0.weight: .*greater than 0"),
        ({"operators": [{"name": "similar", "promt": "x"}]}, "operator 'similar' has no setting 'promt'"),
        ({"operators": ["my.own"]}, "is a module of your own; allow it with --allow-import"),
        ({"operators": ["similar"], "seeds": 0}, "seeds: .*greater than 0"),
        ({"seeds": 0.2}, "name some in operators"),
        ({"operators": ["rationale"]}, r"verifier 'exact' takes all of it for the answer; use one that looks for"),
    ],
)
def test_operators_that_cannot_work_are_refused_before_anything_runs(teacher: dict[str, Any], reason: str) -> None:
    models = {
        role: {"name": "openai", "base_url": "http://127.0.0.1:9/v1", "model": "m"} for role in ("teacher", "judge")
    }
    with pytest.raises(PartError, match=reason):
        Parts.resolve(make_scenario(teacher={"name": "llm", **teacher}, models=models), "small.toml")


class Losing(Characters):
    """Reads an answer without the reasoning before it."""

    def lost(self, answer: str, part: str) -> str | None:
        assert part in answer.removeprefix("<think>").partition("</think>")[0]
        return "the template loses it"


def test_reasoning_that_the_student_would_not_learn_is_refused_before_anything_runs() -> None:
    weighted = [Weighted(build(name), 1.0) for name in ("similar", "rationale")]
    scenario = make_scenario(
        student={"model": "some/model", "revision": "0" * 40, "reasoning": ["<think>", "</think>"]}
    )
    assert lost(weighted, scenario, Losing()) == [
        "operator 'rationale' teaches reasoning before the answer, and the template loses it; let the student think in "
        "student.template, or remove the operator"
    ]
    assert lost(weighted[:1], scenario, Losing()) == lost(weighted, scenario, Characters()) == []


def test_a_teacher_that_is_a_program_has_no_operators() -> None:
    with pytest.raises(PartError, match="teacher 'program' has no setting 'operators'"):
        Parts.resolve(make_scenario(teacher={"name": "program", "operators": ["similar"]}), "small.toml")


def test_evolving_draws_its_method_and_fills_it_in() -> None:
    operator = build("evolved", methods={"one": "First.", "two": "Second."})
    drawn = {operator.method(Random(seed)) for seed in range(20)}
    assert drawn == {"First.", "Second."}
    assert find("evolved", base=Operator, package=PACKAGE, where="test")().method(Random(0))  # type: ignore[call-arg]


def test_weighted_operators_are_described_with_all_that_decides(endpoint: Teaching, tmp_path: Path) -> None:
    desk = make_operated(endpoint, tmp_path, [{"name": "rationale", "weight": 2, "most": 99}])
    assert [(w.operator.name, w.weight) for w in desk.parts.operators] == [("rationale", 2.0)]
    (described,) = desk.parts.describe()["operators"]
    assert described["most"] == 99
    assert isinstance(desk.parts.operators[0], Weighted)
    assert desk.longest >= 99
    desk.close()
