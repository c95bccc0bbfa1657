from evolvent.benchmarks import rivalry, scoring

from ..endpoint import MODEL, answer, asked


def test_every_rival_has_a_script_of_its_name() -> None:
    assert {path.stem for path in rivalry.SCRIPTS.glob("*.py")} == {*rivalry.RIVALS, scoring.RIVAL}


def test_a_rival_that_could_not_be_run_was_not_beaten() -> None:
    fast, slow = ({"per_second": {"median": rate}} for rate in (50.0, 10.0))
    checks = rivalry.checks(100.0, {"distilabel": fast, "data_designer": slow, "inspect": {"error": "no such package"}})
    assert [(check.measured, check.met) for check in checks] == [
        ("2.0x", False),
        ("10.0x", True),
        ("could not be run", False),
    ]


def test_the_endpoint_reads_turns_in_parts_and_counts_as_clients_expect() -> None:
    body = {"model": MODEL, "messages": [{"role": "user", "content": [{"type": "text", "text": "1+2"}]}]}
    usage = answer(body, ["3"])["usage"]
    assert asked(body) == "1+2"
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
