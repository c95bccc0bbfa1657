from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evolvent.agents import planning, session
from evolvent.agents.parts import Parts
from evolvent.agents.reports.bill import bill_lines, bill_table
from evolvent.memory.errors import PartError, UnavailableError
from evolvent.memory.inference import Request

from ..endpoint import MODEL, Endpoint, serving
from ..killing import MINI
from .desks import make_desk, make_scenario


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with serving(Endpoint()) as served:
        yield served


def models(endpoint: Endpoint, **settings: Any) -> dict[str, Any]:
    part = {"name": "openai", "base_url": endpoint.url, "model": MODEL, "deadline": 0.5, **settings}
    return {"teacher": part, "judge": {**part, "revision": "judge"}}


async def test_every_role_has_a_model_that_pays_from_one_account(endpoint: Endpoint, tmp_path: Path) -> None:
    desk = make_desk(tmp_path, models=models(endpoint))
    for role, model in sorted(desk.models.items()):
        replies = await model.ask([Request("1+2"), Request("1+3")])
        assert [r.completion and r.completion.text for r in replies] == ["3", "4"], role
    assert {role: cost.calls for role, cost in desk.account.purse.roles.items()} == {"judge": 2, "teacher": 2}
    assert desk.account.responses.spending() == desk.account.purse.roles
    desk.close()


async def test_a_request_that_fails_is_a_reply_with_its_reason(endpoint: Endpoint, tmp_path: Path) -> None:
    desk = make_desk(tmp_path, models=models(endpoint, most=1))
    endpoint.faults = ["400"]
    lost, found = await desk.models["teacher"].ask([Request("1+2"), Request("1+3")])
    assert (lost.completion, found.reason) == (None, "")
    assert lost.reason.startswith("400 bad request")
    desk.close()


@pytest.mark.slow
def test_a_model_that_is_away_ends_the_session_before_anything_is_written(tmp_path: Path) -> None:
    with serving(Endpoint()) as endpoint:
        pass
    overrides = [f"models.teacher.{k}={v}" for k, v in models(endpoint)["teacher"].items()]
    plan = planning.plan(MINI, overrides, seed=0, limit=None, allow_import=False)
    with pytest.raises(UnavailableError, match="is the server up") as caught:
        session.start(plan, tmp_path / "runs", since=0.0, json_lines=False)
    assert caught.value.exit_code == 4
    assert list(tmp_path.iterdir()) == []


def test_a_model_has_to_keep_to_a_schema(tmp_path: Path) -> None:
    with serving(Endpoint(binds=False)) as endpoint:
        parts = Parts.resolve(make_scenario(models=models(endpoint)), "small.toml")
        with pytest.raises(UnavailableError, match="does not keep to a JSON schema"):
            parts.greet()


def test_an_engine_that_only_serves_checkpoints_cannot_work_in_a_role() -> None:
    parts = Parts.resolve(make_scenario(models={"judge": "transformers"}), "small.toml")
    with pytest.raises(PartError, match=r"'transformers' serves checkpoints, not a judge; .* \[models.judge\]"):
        parts.greet()


def test_a_budget_in_money_that_nothing_counts_against_is_refused(endpoint: Endpoint) -> None:
    budget = {"usd": 5}
    with pytest.raises(PartError, match=r"budget\.usd sees no cost: .* use budget\.tokens"):
        Parts.resolve(make_scenario(budget=budget, models=models(endpoint)), "small.toml")
    Parts.resolve(make_scenario(budget=budget, models=models(endpoint, answer_price=1)), "small.toml")


def test_a_scenario_without_models_is_what_it_was_before_there_were_any() -> None:
    assert "models" not in make_scenario().model_dump()
    assert "models" not in Parts.resolve(make_scenario(), "small.toml").describe()


def test_the_bill_is_a_line_and_a_row_for_every_role() -> None:
    cost = {"calls": 1200, "prompt_tokens": 9000, "tokens": 1000, "usd": 1.5}
    found = {"models": {"roles": {"judge": cost, "teacher": cost}, "total": cost, "budget": {"usd": 2}}}
    assert bill_lines(found) == [
        "models   judge    1,200 calls, 10,000 tokens, $1.5000",
        "         teacher  1,200 calls, 10,000 tokens, $1.5000",
        "         budget usd 2",
    ]
    assert [f'<th scope="row">{name}</th>' in bill_table(found) for name in ("judge", "teacher")] == [True, True]
    assert bill_lines({}) == []
    assert bill_table({}) == ""
