from hypothesis import given
from hypothesis import strategies as st

from evolvent.memory.viewer.difference import compare
from evolvent.memory.viewer.markup import LONGEST, visible

from .visits import Seen


def test_what_only_one_side_has_is_marked_on_its_side() -> None:
    assert compare("9870", "4970") == ("<code>9<del>8</del>70</code>", "<code><ins>4</ins>970</code>")


def test_equal_texts_carry_no_marks() -> None:
    assert compare("42", "42") == ("<code>42</code>", "<code>42</code>")


def test_an_empty_answer_says_so() -> None:
    assert "empty" in compare("", "42").left


@given(left=st.text(max_size=60), right=st.text(max_size=60))
def test_both_sides_say_what_they_said_whatever_is_marked(left: str, right: str) -> None:
    for side, text in zip(compare(left, right), (left, right), strict=True):
        seen = Seen(side)
        assert seen.faults == []
        assert not text or seen.text == visible(text)


def test_long_texts_are_cut_and_say_so() -> None:
    left, right = compare("a" * (LONGEST + 7), "b" * 9)
    assert "7 more characters" in left
    assert "more characters" not in right
