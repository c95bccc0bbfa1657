import pytest

from evolvent.memory.display import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [("\x1b[2J", r"\x1b[2J"), ("a\u202eb", r"a\u202eb"), ("\U000e0001", r"\U000e0001"), ("ä\n\t😀", "ä\n\t😀")],
)
def test_what_a_reader_cannot_see_is_shown_as_its_escape(text: str, shown: str) -> None:
    assert visible(text) == shown
