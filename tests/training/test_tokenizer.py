import pytest

from evolvent.training.tokenizer import ASSISTANT, CHARACTERS, END, SPECIAL, USER, build_tokenizer

pytestmark = pytest.mark.slow

TALK = [{"role": "user", "content": "12+30?"}, {"role": "assistant", "content": "42\nso"}]


def test_a_conversation_survives_the_template_and_back() -> None:
    tokenizer = build_tokenizer(256)
    ids = tokenizer.apply_chat_template(TALK)["input_ids"]  # pyright: ignore[reportArgumentType, reportCallIssue] -- an encoding
    assert tokenizer.decode(ids) == f"{USER}12+30?{ASSISTANT}42\nso{END}"  # pyright: ignore[reportArgumentType] -- ids
    assert tokenizer.decode(ids, skip_special_tokens=True) == "12+30?42\nso"  # pyright: ignore[reportArgumentType] -- ids


def test_the_prompt_is_where_the_whole_conversation_begins() -> None:
    tokenizer = build_tokenizer(256)
    asked = tokenizer.apply_chat_template(TALK[:1], add_generation_prompt=True)["input_ids"]  # pyright: ignore[reportArgumentType, reportCallIssue] -- an encoding
    whole = tokenizer.apply_chat_template(TALK)["input_ids"]  # pyright: ignore[reportArgumentType, reportCallIssue] -- an encoding
    assert list(whole)[: len(list(asked))] == list(asked)


def test_every_character_is_one_token_and_others_are_unknown() -> None:
    tokenizer = build_tokenizer(256)
    ids = tokenizer("".join(CHARACTERS), add_special_tokens=False)["input_ids"]
    assert ids == list(range(len(SPECIAL), len(SPECIAL) + len(CHARACTERS)))
    assert tokenizer("é", add_special_tokens=False)["input_ids"] == [tokenizer.unk_token_id]
