from typing import Any

from evolvent.agents.parts import Parts
from evolvent.benchmarks.hole import Hole, likest, planted
from evolvent.benchmarks.session import SCENARIO
from evolvent.scenarios import loader
from evolvent.scenarios.splits import Splits

HOLE = Hole("multiply-small", "product 21 anywhere")


def make_weakness(*rule: str, skill: str = HOLE.skill) -> dict[str, Any]:
    return {"skill": skill, "rule": list(rule), "state": "fixed"}


def make_splits() -> Splits:
    scenario = loader.load(SCENARIO)
    return Splits(scenario, Parts.resolve(scenario, "arithmetic.toml").source, 0)


def test_the_hole_is_what_the_first_training_lacks() -> None:
    assert planted(loader.load(SCENARIO)) == HOLE


def test_of_many_rules_the_one_that_describes_the_hole_is_taken() -> None:
    exact, part = make_weakness("product 21 anywhere"), make_weakness("product 21 with carry in")
    given = [make_weakness("times 3"), part, exact, make_weakness("product 21 anywhere", skill="multiply-large")]
    assert likest(HOLE, given, make_splits()) == (exact, 1.0)
    found = likest(HOLE, [make_weakness("times 2"), part, make_weakness("times 3")], make_splits())
    assert found
    assert found[0] != exact
    assert 0 < found[1] < 1


def test_a_rule_that_shares_no_task_with_the_hole_is_not_the_hole() -> None:
    assert likest(HOLE, [make_weakness("times 2")], make_splits()) is None
