import pytest

from evolvent.training import ranks


def test_a_process_of_its_own_is_alone_and_first() -> None:
    assert (ranks.world(), ranks.first(), ranks.together()) == (1, True, False)


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"WORLD_SIZE": "4", "RANK": "0"}, (4, True, True)),
        ({"WORLD_SIZE": "4", "RANK": "3"}, (4, False, True)),
        ({"ACCELERATE_USE_FSDP": "true"}, (1, True, True)),
    ],
)
def test_a_launcher_says_who_else_trains(
    variables: dict[str, str], said: tuple[int, bool, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert (ranks.world(), ranks.first(), ranks.together()) == said
