from importlib.util import find_spec

import pytest

from evolvent.memory.errors import PartError

from .builders import make_task, make_verifier

THERE = find_spec("math_verify") is not None
needed = pytest.mark.skipif(not THERE, reason="math-verify is not installed")


@pytest.mark.skipif(THERE, reason="math-verify is installed")
def test_without_its_library_the_way_to_it_is_said() -> None:
    with pytest.raises(PartError, match=r"math-verify is not installed; try: pip install 'evolvent\[math\]'"):
        make_verifier("math")


@needed
@pytest.mark.parametrize(
    ("reference", "answer", "passed"),
    [
        (r"\frac{1}{2}", "so it is 0.5", True),
        ("72", r"48 + 24 = \boxed{72}", True),
        ("72", "48 + 24 = 72, not 71", False),
        ("1,234", "1234", True),
        ("x^2+1", "$1 + x^2$", True),
        (r"\sqrt{2}", r"\boxed{1.4142}", False),
        (r"\{1,2\}", r"$\{2, 1\}$", True),
        ("(1,2)", "$(2,1)$", False),
        ("5", "no idea", False),
        ("5", "__import__('os').system('true')", False),
    ],
)
def test_mathematics_is_compared_by_what_it_is(reference: str, answer: str, passed: bool) -> None:
    verdict = make_verifier("math").judge(make_task(answer=reference), answer)
    assert (verdict.passed, bool(verdict.reason)) == (passed, not passed), verdict


@needed
@pytest.mark.slow
def test_a_formula_that_takes_for_ever_is_wrong_and_the_next_one_is_judged() -> None:
    verifier = make_verifier("math", seconds=0.5)
    assert "not done after 0.5 s" in verifier.judge(make_task(answer="5"), r"\boxed{9^{9^{9^{9}}}}").reason
    assert make_verifier("math", seconds=60).judge(make_task(answer="5"), r"\boxed{5}").passed


@needed
def test_a_reference_without_mathematics_is_a_bug() -> None:
    with pytest.raises(ValueError, match=r"reference answer '\$\$' is no mathematics"):
        make_verifier("math").judge(make_task(answer="$$"), "5")
