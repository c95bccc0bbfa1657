from evolvent.agents.allocator import History
from evolvent.agents.lives import Life, hopeless, judge
from evolvent.memory.records import Observation, State, Weakness
from evolvent.scenarios.schema import Probing

from .desks import make_attempt

WEAKNESS = Weakness(skill="add", hypothesis="", rule=(), round=1, failures=(), p_value=0.0)


def make_history(
    *passed: int, chance: float = 0.0, taught: tuple[int, ...], promoted: tuple[int, ...] = (1, 2)
) -> History:
    rounds = len(passed)
    return History(
        "skill", passed, (100,) * rounds, (chance,) * rounds, taught, promoted=promoted, mastered=False, abandoned=False
    )


def make_life(*states: State) -> Life:
    seen = [
        Observation(weakness=WEAKNESS.id, round=i, state=state, passed=0, tried=9, reason="")
        for i, state in enumerate(states, start=1)
    ]
    return Life(WEAKNESS, tuple(seen))


def judged(life: Life, passed: int, failed: int, *, skill_hopeless: bool = False) -> State:
    attempts = [make_attempt(passed=i < passed, number=i) for i in range(passed + failed)]
    return judge(life, attempts, skill_hopeless=skill_hopeless, settings=Probing())[0]


def test_a_coin_is_hopeless_after_two_rounds_of_teaching() -> None:
    assert hopeless(make_history(0, 50, 51, chance=0.5, taught=(300, 300)))
    assert not hopeless(make_history(0, 50, chance=0.5, taught=(300,)))


def test_a_rejected_round_counts_once_an_earlier_one_has_reached_the_student() -> None:
    assert hopeless(make_history(0, 50, 50, chance=0.5, taught=(300, 300), promoted=(1,)))
    assert not hopeless(make_history(0, 0, 0, taught=(300, 300), promoted=()))


def test_what_still_moves_or_is_above_luck_is_not_hopeless() -> None:
    assert not hopeless(make_history(0, 5, 40, taught=(300, 300)))
    assert not hopeless(make_history(0, 60, 60, taught=(300, 300)))


def test_a_weakness_lives_from_open_over_taught_to_fixed() -> None:
    assert judged(make_life(), 10, 54) == "open"
    assert judged(make_life("open"), 40, 24) == "taught"
    assert judged(make_life("open", "taught"), 64, 0) == "fixed"


def test_a_fixed_weakness_comes_back_only_on_evidence() -> None:
    assert judged(make_life("open", "fixed"), 62, 2) == "fixed"
    assert judged(make_life("open", "fixed"), 40, 24) == "regressed"
    assert judged(make_life("fixed", "regressed"), 62, 2) == "regressed"
    assert judged(make_life("fixed", "regressed"), 64, 0) == "fixed"


def test_a_weakness_of_a_hopeless_skill_is_abandoned() -> None:
    assert judged(make_life("open", "taught"), 32, 32, skill_hopeless=True) == "abandoned"


def test_what_was_given_up_stays_given_up_unless_it_is_mastered() -> None:
    assert judged(make_life("taught", "abandoned"), 40, 24) == "abandoned"
    assert judged(make_life("taught", "abandoned"), 64, 0) == "fixed"


def test_probes_of_a_student_that_was_never_taught_are_no_evidence() -> None:
    assert not hopeless(make_history(0, 0, 60, taught=(300, 300), promoted=(2,)))
