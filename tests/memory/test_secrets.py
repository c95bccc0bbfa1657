import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from evolvent.memory.secrets import SHORTEST, Secrets


@given(value=st.text(min_size=SHORTEST), before=st.sampled_from(["", "<", "\n", "\\", '"']))
@example(value="nothing secret", before="\nothing secret")
def test_json_stays_json_and_loses_the_secret(value: str, before: str) -> None:
    hidden = Secrets()
    hidden.add(value)
    text = f"{before}{value}>"
    assert json.loads(hidden.dump({"a": text, "b": 1})) == {"a": hidden.redact(text), "b": 1}
    assert value not in hidden.redact(text)


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("OPENAI_API_KEY", "sk-12345678", "***"),
        ("HF_TOKEN", "hf_abcdefgh", "***"),
        ("DB_PASSWORD", "correct horse", "***"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20abcdefghij,x-team=blue", "abcdefghij"),
        ("KEYBOARD", "qwertyuiop", "qwertyuiop"),
        ("TOKENIZERS_PARALLELISM", "false, always", "false, always"),
        ("MONKEY", "business as usual", "business as usual"),
        ("SHORT_KEY", "1234567", "1234567"),
    ],
)
def test_variables_that_hold_secrets_are_known_by_their_names(name: str, value: str, shown: str) -> None:
    hidden = Secrets.of({name: value})
    said = hidden.redact("abcdefghij" if "HEADERS" in name else value)
    assert said == ("***" if "HEADERS" in name else shown)


def test_of_two_secrets_the_longer_one_goes_first() -> None:
    hidden = Secrets.of({"A_KEY": "12345678", "B_KEY": "1234567890"})
    assert hidden.redact("1234567890 12345678") == "*** ***"
