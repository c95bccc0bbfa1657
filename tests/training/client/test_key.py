import json

import pytest

from evolvent.memory.errors import UnavailableError
from evolvent.training.client.key import Key

SECRET = "sk-canary-0123456789"


@pytest.mark.parametrize("url", ["http://example.org/v1", "http://127.0.0.1.example.org/v1", "http://10.0.0.2:8000"])
def test_a_key_goes_to_no_other_machine_unencrypted(url: str) -> None:
    with pytest.raises(UnavailableError, match="would go unencrypted; use https") as caught:
        Key(SECRET).headers(url)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["https://example.org/v1", "http://localhost:8000/v1", "http://127.0.0.2/v1", "http://[::1]:8000/v1"]
)
def test_a_key_goes_out_encrypted_or_stays_on_this_machine(url: str) -> None:
    assert Key(SECRET).headers(url) == {"Authorization": f"Bearer {SECRET}"}


def test_where_there_is_no_key_none_can_be_read_on_the_way() -> None:
    assert Key().headers("http://example.org/v1") == {}


def test_a_key_is_taken_out_of_json_however_it_is_written_there() -> None:
    key = Key('a"quoted\\key')
    assert key.redact(json.dumps({"said": f"({key.value})"})) == '{"said": "(***)"}'
    assert Key().redact("nothing to hide") == "nothing to hide"
