import json

import pytest

from evolvent.training.client.form import misfit

SCHEMA = {"type": "object", "properties": {"solution": {"type": "string"}}, "required": ["solution"]}


@pytest.mark.parametrize("text", ['{"solution": "42"}', '{"solution": "\\ud83d\\ude00"}', '{"solution": "\\u0000"}'])
def test_json_of_the_schema_is_taken_however_it_is_spelled(text: str) -> None:
    assert misfit(text, SCHEMA) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"solution": "\\ud83d"}', "half a character"),
        ('{"solution": "42", "\\ude00": 1}', "half a character"),
        ('{"solution": ', "not JSON"),
        (json.dumps({"solution": 42}), "42 is not of type"),
    ],
)
def test_what_cannot_be_used_is_said_in_words_that_can_be_sent(text: str, said: str) -> None:
    trouble = misfit(text, SCHEMA) or ""
    assert said in trouble
    assert trouble.encode()
