"""Every enhancer says of every sample what becomes of it."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolvent.memory.embedders.hashing import Hashing
from evolvent.memory.errors import PartError
from evolvent.memory.inference import Completion, Reply, Request
from evolvent.memory.parts import PartSpec, known, load
from evolvent.memory.talk import Question, Talk
from evolvent.training.curation.enhancer import AS_IS, Change, Enhancer
from evolvent.training.curation.enhancers.confident import Confident, confidently
from evolvent.training.curation.enhancers.moderation import Moderation
from evolvent.training.curation.enhancers.noise import Noise
from evolvent.training.curation.enhancers.normalise import Normalise
from evolvent.training.curation.enhancers.personal import Personal
from evolvent.training.curation.enhancers.rewrite import Rewrite
from evolvent.training.curation.enhancers.secrets import Secrets
from evolvent.training.curation.enhancers.toxicity import Toxicity
from evolvent.training.curation.peers import groups, nearest
from evolvent.training.curation.pool import Context, Pool, Row

from .pools import SHAPES, make_pool

PACKAGE = "evolvent.training.curation.enhancers"


class Saying:
    """A model that says one thing to everything, or what a function makes of the prompt; nothing where that is None."""

    def __init__(self, say: Callable[[str], object]) -> None:
        self.say = say
        self.asked: list[Request] = []

    async def ask(self, requests: Sequence[Request]) -> list[Reply]:
        self.asked += requests
        said = [self.say(request.prompt) for request in requests]
        return [
            Reply(None, "the endpoint was gone")
            if one is None
            else Reply(Completion(json.dumps(one), 9, complete=True))
            for one in said
        ]

    def close(self) -> None:
        pass


def make_rows(*rows: tuple[Question, str]) -> Pool:
    """Samples in the order of their ids."""
    return Pool(tuple(Row(f"s{i:03}", q, a, "skill") for i, (q, a) in enumerate(rows)), Hashing().embed)


def enhance(enhancer: Enhancer, pool: Pool, context: Context | None = None) -> Sequence[Change]:
    return asyncio.run(enhancer.enhance(pool, context or Context()))


@pytest.mark.parametrize("name", known(PACKAGE))
@pytest.mark.parametrize("pool", SHAPES.values(), ids=SHAPES)
def test_every_sample_has_its_change(name: str, pool: Pool) -> None:
    enhancer = load(PartSpec(name=name), base=Enhancer, package=PACKAGE, where="test")
    judged = Saying(lambda _: {"because": "it is fine", "harmful": False})
    written = Saying(lambda _: {"answer": "2", "question": "what is 1 + 1", "usable": True})
    context = Context(seed=3, targets=make_pool(8, seed=9), scorer=judged, teacher=written)
    if not context.lacks(pool, enhancer.needs):
        assert len(enhance(enhancer, pool, context)) == len(pool)


RUSSIAN = "\u043f\u0440\u0438\u0432\u0435\u0442, \u0441\u043e\u0441\u0435\u0434"
ODD = st.one_of(st.characters(), st.sampled_from("a\u0430\u0301\u00b2\u200d \t\n\r\u00a0\u0410K"))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("\uff11\uff12 \uff0b \uff13\u00a0x  ", "12 + 3 x"),
        ("\u0440\u0430yp\u0430l", "paypal"),
        (RUSSIAN, RUSSIAN),
        ("pass\u200bword\u202e!", "password!"),
        ("x\u00b2 + \u00bd", "x\u00b2 + \u00bd"),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"),
        ("def f():\n    return 1", "def f():\n    return 1"),
        ("caf\u0065\u0301", "caf\u00e9"),
    ],
    ids=["line ends", "width", "lookalikes", "another script", "unseen", "meaning", "joiners", "code", "accents"],
)
def test_what_looks_the_same_is_spelled_the_same_and_what_means_something_stays(text: str, wanted: str) -> None:
    assert Normalise().clean(text) == wanted


@given(st.text(alphabet=ODD, max_size=40))
def test_a_text_in_its_one_spelling_stays_as_it_is(text: str) -> None:
    once = Normalise(gaps=True).clean(text)
    assert Normalise(gaps=True).clean(once) == once


def test_a_sample_of_which_nothing_is_left_is_refused_and_a_conversation_keeps_its_question() -> None:
    talk = Talk(messages=({"role": "user", "content": "hi\u200b"},))
    changes = enhance(Normalise(), make_rows(("\u200b", "2"), ("1+1", "\ufeff"), (talk, "two\u200b"), ("1+1", "2")))
    assert [c.refused for c in changes[:2]] == ["nothing is left of the question", "nothing is left of the answer"]
    assert list(changes[2:]) == [Change(answer="two"), AS_IS]


HIDDEN = [
    "AKIA" + "ABCDEFGHIJKLMNOP",
    "ghp_" + "a1B2" * 9,
    "sk-proj-" + "a1B2c3D4" * 4,
    "xoxb-" + "123456789012-abcdef",
    "eyJhbGciOiJI.eyJzdWIiOiIx.SflKxwRJSMeK",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
]
NAMED = [
    ("DB_PASSWORD=tr0ub4dor&3x", "tr0ub4dor&3x"),
    ('"api_key": "9f8e7d6c5b4a"', "9f8e7d6c5b4a"),
    ("postgres://me:hunter2x@db/prod", "me:hunter2x"),
    ("Authorization: Bearer abc.def-123", "abc.def-123"),
]
HARMLESS = [
    "password = your-password",
    "the secret is patience and practice",
    "what is 123456 + 654321",
    "sk-learn is a library; a token is a word",
    "reset your password: click the link below",
    "https://example.com:8080/path@home",
]


@pytest.mark.parametrize(("text", "value"), [*((f"it is {v} now", v) for v in HIDDEN), *NAMED])
def test_credentials_are_masked_whole_and_the_reason_never_repeats_them(text: str, value: str) -> None:
    pool = make_rows(("what is it", text))
    (masked,) = enhance(Secrets(action="mask"), pool)
    assert masked.answer == text.replace(value, "[secret]")
    (refused,) = enhance(Secrets(), pool)
    assert refused.refused.startswith("holds ")
    assert value not in refused.refused


@pytest.mark.parametrize("text", HARMLESS)
def test_words_about_secrets_are_no_secrets(text: str) -> None:
    assert enhance(Secrets(), make_rows((text, text))) == [AS_IS]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("mail ann.b+x@firm.co.uk.", "mail [email]."),
        ("call me at 555-123-4567", "call me at [phone]"),
        ("+44 20 7946 0958 or (212) 555-0100", "[phone] or [phone]"),
        ("to GB82 WEST 1234 5698 7654 32 THANKS", "to [iban] THANKS"),
        ("card 4111-1111-1111-1111, exp 12", "card [card], exp 12"),
        ("from 8.8.4.4 and 2001:4860:4860::8888", "from [ip] and [ip]"),
        ("SSN 123-45-6789", "SSN [ssn]"),
    ],
)
def test_personal_data_gives_way_to_its_kind(text: str, wanted: str) -> None:
    assert enhance(Personal(), make_rows(("q", text)))[0].answer == wanted
    assert enhance(Personal(action="refuse"), make_rows((text, "a")))[0].refused.startswith("holds ")


@pytest.mark.parametrize(
    "text",
    [
        "555-123-4567", "12 +34567890", "ask@example.com or root@host.test", "4111 1111 1111 1112",
        "GB83 WEST 1234 5698 7654 32", "192.168.0.1 and ::1", "at 12:30:45", "123-45-6789 = -6711",
        "3.1415926535897932", "1234567890123 * 2",
    ],
)  # fmt: skip
def test_sums_and_addresses_of_nobody_are_not_personal(text: str) -> None:
    assert enhance(Personal(), make_rows(("q", text))) == [AS_IS]


def test_only_the_kinds_that_are_asked_for_are_looked_for() -> None:
    pool = make_rows(("q", "ann@firm.com at 8.8.8.8"))
    assert enhance(Personal(kinds=("ip",)), pool)[0].answer == "ann@firm.com at [ip]"


@given(st.integers(10**14, 10**15 - 1))
def test_of_all_last_digits_of_a_card_one_alone_is_right(body: int) -> None:
    numbers = [f"4{body}"[:15] + str(last) for last in range(10)]
    assert sum(bool(Personal(kinds=("card",)).spans(number)) for number in numbers) == 1


def test_a_conversation_with_something_to_hide_before_its_answer_is_refused_where_it_would_be_masked() -> None:
    talk = Talk(messages=({"role": "user", "content": "I am ann@firm.com"},))
    asked, said = enhance(Personal(), make_rows((talk, "hi"), (Talk(messages=()), "write to ann@firm.com")))
    assert asked.refused == "holds email"
    assert said == Change(answer="write to [email]")


def test_words_of_the_list_count_in_any_spelling_and_only_whole() -> None:
    pool = make_rows(("q", "what a SH\u0406T day"), ("q", "Scunthorpe and shitake"), ("q", "you frobnicator"))
    assert [bool(c.refused) for c in enhance(Toxicity(), pool)] == [True, False, False]
    assert [bool(c.refused) for c in enhance(Toxicity(words=(), more=("frobnicator",)), pool)] == [False, False, True]
    assert [bool(c.refused) for c in enhance(Toxicity(tolerated=1), pool)] == [False, False, False]
    assert enhance(Toxicity(words=()), pool) == [AS_IS] * 3


def test_what_a_model_finds_harmful_is_refused_with_its_reason_and_so_is_what_it_says_nothing_of() -> None:
    def say(prompt: str) -> object:
        return None if "mute" in prompt else {"because": "a threat", "harmful": "I will" in prompt}

    model = Saying(say)
    pool = make_rows(("q", "I will find you"), ("q", "fine"), ("q", "mute"))
    changes = enhance(Moderation(against="threats"), pool, Context(scorer=model))
    silent = "nobody could say whether it is harmful: the endpoint was gone"
    assert [c.refused for c in changes] == ["harmful: a threat", "", silent]
    assert "teach any of this: threats?" in model.asked[0].prompt


def test_a_teacher_repairs_what_can_be_repaired_and_says_what_cannot() -> None:
    def say(prompt: str) -> object:
        if "mute" in prompt:
            return None
        return {"answer": "2", "question": "what is 1 + 1", "usable": "nonsense" not in prompt}

    pool = make_rows(("what is 1 + 1", "3"), ("what is 1+1?", "2"), ("nonsense", "x"), ("mute", "x"))
    changes = enhance(Rewrite(), pool, Context(teacher=Saying(say)))
    assert list(changes) == [
        Change(answer="2"),
        Change(question="what is 1 + 1"),
        Change(refused="the teacher can make nothing of it"),
        AS_IS,
    ]


@pytest.mark.parametrize("enhancer", [Moderation, Rewrite])
def test_a_prompt_that_names_what_is_not_there_is_refused_when_it_is_written(enhancer: type[Enhancer]) -> None:
    with pytest.raises(ValueError, match=r"a prompt names 'sample'; it may name: a"):
        enhancer.model_validate({"prompt": "look at {{ sample }}"})


def test_samples_of_one_question_vote_on_its_answer() -> None:
    pool = make_rows(("1 + 1", "2"), ("1 + 1", "3"), ("1  + 1", "2 "), ("5 + 5", "10"), ("2+2", "4"), ("2+2", "5"))
    refused = enhance(Noise(), pool)
    assert [bool(c.refused) for c in refused] == [False, True, False, False, True, True]
    assert refused[1].refused == "2 of 3 samples that ask this answer otherwise"
    assert refused[4].refused == "2 samples ask this, and no answer has a majority"
    assert enhance(Noise(action="correct"), pool)[1] == Change(answer="2")
    assert enhance(Noise(majority=0.7), pool)[0].refused != ""


def test_questions_that_are_nearly_one_vote_together_where_they_are_told_to() -> None:
    pool = make_rows(
        ("which city is the capital of France", "Paris"),
        ("which city is the capital of France?", "Paris"),
        ("Which city is the capital of France then", "Lyon"),
        ("how many legs has a spider", "8"),
    )
    assert enhance(Noise(), pool) == [AS_IS] * 4
    assert [bool(c.refused) for c in enhance(Noise(near=0.8), pool)] == [False, False, True, False]
    with pytest.raises(PartError, match="questions have to be compared; give an embedder"):
        enhance(Noise(near=0.8), Pool(pool.rows))


@given(st.lists(st.tuples(st.sampled_from("pqr"), st.sampled_from("xyz")), max_size=25))
def test_a_vote_is_the_count_of_every_question(rows: list[tuple[Question, str]]) -> None:
    votes = {q: Counter(a for asked, a in rows if asked == q) for q, _ in rows}
    for (question, answer), change in zip(rows, enhance(Noise(), make_rows(*rows)), strict=True):
        right = votes[question][answer] * 2 > votes[question].total()
        assert bool(change.refused) is not right


@given(st.lists(st.tuples(st.sampled_from("pq"), st.sampled_from("xyz")), max_size=25))
def test_after_correction_nothing_that_had_a_majority_disagrees(rows: list[tuple[Question, str]]) -> None:
    changes = enhance(Noise(action="correct"), make_rows(*rows))
    left = [(q, c.answer or a) for (q, a), c in zip(rows, changes, strict=True) if not c.refused]
    assert all(len({a for asked, a in left if asked == q}) == 1 for q, _ in left)


def make_vectors(count: int, size: int = 8, seed: int = 0) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    made = np.random.default_rng(seed).normal(size=(count, size))
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


def test_neighbours_are_those_of_a_plain_comparison_of_all_pairs() -> None:
    vectors_SD = make_vectors(150)
    close_SS = vectors_SD @ vectors_SD.T
    np.fill_diagonal(close_SS, -2)
    wanted = [sorted(row) for row in np.argsort(-close_SS, axis=1)[:, :7].tolist()]
    assert [sorted(row) for row in nearest(vectors_SD, 7).tolist()] == wanted


@pytest.mark.parametrize("near", [0.3, 0.7, 0.95])
def test_groups_hang_together_as_in_a_plain_walk_from_one_to_the_next(near: float) -> None:
    vectors_SD = make_vectors(120, size=4)
    close_SS = vectors_SD @ vectors_SD.T >= near
    owners: list[int] = [-1] * 120
    for start in range(120):
        waiting = [start] if owners[start] < 0 else []
        while waiting:
            place = waiting.pop()
            owners[place] = start
            waiting += [i for i in range(120) if close_SS[place, i] and owners[i] < 0]
    assert groups(vectors_SD, near).tolist() == owners


def test_confident_learning_is_what_its_paper_says() -> None:
    rng = np.random.default_rng(2)
    given_S = rng.integers(0, 3, size=80)
    near_SK = np.array([rng.choice(np.delete(np.arange(80), i), 6, replace=False) for i in range(80)])
    shares = [[float(np.mean(given_S[near_SK[i]] == j)) for j in range(3)] for i in range(80)]
    bars = [float(np.mean([shares[i][j] for i in range(80) if given_S[i] == j])) for j in range(3)]
    wanted: list[int] = []
    for i in range(80):
        confident = {j: shares[i][j] for j in range(3) if shares[i][j] >= bars[j] and shares[i][j] > 0}
        own = int(given_S[i])
        best = max(confident.values(), default=0.0)
        wanted.append(own if confident.get(own, 0.0) == best else min(j for j, p in confident.items() if p == best))
    assert confidently(given_S, near_SK).tolist() == wanted
    assert wanted != given_S.tolist()


def test_planted_labels_are_found_among_texts_that_look_alike() -> None:
    rng = np.random.default_rng(0)
    themes = {"animal": ["cat", "dog", "horse", "cow", "sheep"], "tool": ["hammer", "saw", "drill", "wrench", "pliers"]}
    rows: list[tuple[Question, str]] = []
    planted: list[bool] = []
    for i in range(120):
        kind = ("animal", "tool")[i % 2]
        wrong = bool(rng.random() < 0.15)
        rows.append((" ".join(rng.choice(themes[kind], 3).tolist()), kind if not wrong else ("tool", "animal")[i % 2]))
        planted.append(wrong)
    found = [bool(c.refused) for c in enhance(Confident(), make_rows(*rows))]
    hits = sum(f and p for f, p in zip(found, planted, strict=True))
    assert hits / sum(planted) >= 0.7
    assert hits / sum(found) >= 0.9


def test_open_answers_are_left_alone() -> None:
    assert enhance(Confident(), make_pool(40)) == [AS_IS] * 40
