import os
from pathlib import Path

import pytest

from evolvent.agents import ground
from evolvent.memory.errors import RunError


@pytest.mark.parametrize("place", [".", "runs", "runs/of/mine"])
def test_a_place_that_can_be_written_is_left_as_it_was(tmp_path: Path, place: str) -> None:
    ground.check(tmp_path / place, 1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["file", "file/deeper", "dangling", "/proc/nothing"])
def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere" / "else")
    with pytest.raises(RunError, match=r"cannot be written \(.+\); choose another folder with --runs-dir"):
        ground.check(tmp_path / place, 1)
    assert sorted(os.listdir(tmp_path)) == ["dangling", "file"]


def test_a_disk_without_enough_room_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="MB are free, a session of this scenario takes about 1,000,000,000 MB"):
        ground.check(tmp_path / "runs", 10**15)
