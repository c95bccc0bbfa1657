"""A task that nobody tuned for, run by its name alone."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from ..killing import session

SCENARIO = """
name = "named"
source = "reasoning_gym"
verifier = "reasoning_gym"

[skills.lcm]
guard = true

[skills.gcd]

[student]
hidden = 16
heads = 2
layers = 1

[student.first]
samples = 64
epochs = 1

[trainer]
epochs = 1

[splits]
select = 30
guard = 30
sealed = 30

[probe]
least = 8
batch = 8
most = 16
failures = 4
aimed = 8

[gate]
margin = 0.5

[rounds]
most = 1
samples = 64
"""


@pytest.mark.slow
@pytest.mark.skipif(find_spec("reasoning_gym") is None, reason="reasoning-gym is not installed")
def test_a_task_of_reasoning_gym_runs_by_its_name_to_a_decided_round_and_a_report(tmp_path: Path) -> None:
    path = tmp_path / "named.toml"
    path.write_text(SCENARIO)
    ended = session("run", path, "--json", folder=tmp_path)
    assert ended.code == 0, ended.said
    assert ended.events[-1]["status"] == "finished"
    assert [d["round"] for d in ended.events[-1]["decisions"]] == [1]
    assert (Path(ended.events[0]["dir"]) / "report.html").is_file()
