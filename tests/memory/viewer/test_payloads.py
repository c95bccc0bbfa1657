"""Text of models is text: fifty ways to smuggle markup through every place a model or a user can write to."""

from pathlib import Path

import pytest

from .. import runs
from .visits import assert_ours, every_page, visit

RUN = "then_mini_0001"

PAYLOADS = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<script\n>alert(1)</script\n>",
    "<img src=x onerror=alert(1)>",
    "<img/src=x/onerror=alert(1)>",
    "<IMG SRC=javascript:alert(1)>",
    "<svg onload=alert(1)>",
    "<svg/onload=alert(1)//",
    "<svg><script>alert(1)</script></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<body onload=alert(1)>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<object data=javascript:alert(1)>",
    "<embed src=javascript:alert(1)>",
    "<link rel=stylesheet href=//evil.example>",
    "<style>@import '//evil.example';</style>",
    "<base href=//evil.example/>",
    "<meta http-equiv=refresh content=0;url=//x>",
    "<form action=//evil.example><input name=q>",
    "<button formaction=javascript:alert(1)>x</button>",
    "<a href=javascript:alert(1)>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<details open ontoggle=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<video><source onerror=alert(1)>",
    "<audio src=x onerror=alert(1)>",
    "<marquee onstart=alert(1)>",
    "<math><mtext></mtext><mi xlink:href=javascript:1>",
    "<template><script>alert(1)</script></template>",
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    '" onmouseover="alert(1)',
    "' onmouseover='alert(1)",
    '"><script>alert(1)</script>',
    "'><img src=x onerror=alert(1)>",
    '" autofocus onfocus=alert(1) x="',
    "`onmouseover=alert(1)",
    "--><script>alert(1)</script><!--",
    "]]><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "</code></td></table><script>alert(1)</script>",
    "</svg></text><script>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "\\u003cscript\\u003ealert(1)",
    "{{7*7}}${7*7}<%= 7*7 %>",
    "javascript:alert(1)//",
    "<\x00script>alert(1)</script>",
    "\ufeff<script>alert(1)</script>",
    "\u202e<script>alert(1)</script>\u2066",
    "\x1b[31m<script>alert(1)</script>",
    "<script>alert(1)</script>" * 200,
    "＜script＞alert(1)＜/script＞",
    "<x/onclick=alert(1)>click",
    "<!--<img src=--><img src=x>",
]


BATCH = 10


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return runs.make_run(tmp_path_factory.mktemp("payloads"), []).parent


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, len(PAYLOADS), BATCH))
def test_text_of_a_model_is_never_markup_on_any_page(tmp_path: Path, first: int) -> None:
    batch = PAYLOADS[first : first + BATCH]
    told = [record for payload in batch for record in runs.story(payload, prompt=payload, skill=payload)]
    runs.make_run(tmp_path, told, targets=batch)
    client = visit(tmp_path)
    pages = every_page(client, RUN, each=2 * BATCH)
    assert len(pages) > 6 * len(batch)
    for html in (*pages.values(), client.get("/").text):
        seen = assert_ours(html)
        assert [c for c in seen.text if c in "\x00\x1b\u202e\u2066\ufeff"] == []


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_what_a_visitor_asks_for_is_never_markup(empty: Path, payload: str) -> None:
    client, place = visit(empty), f"/runs/{RUN}"
    asked = (
        ("/", "q"),
        ("/", "sort"),
        ("/compare", "a"),
        (f"{place}/trace", "q"),
        (f"{place}/samples", "end"),
        (f"{place}/skill", "name"),
    )
    for path, name in asked:
        assert_ours(client.get(path, params={name: payload}).text)


def test_errors_and_statuses_of_a_run_are_text(tmp_path: Path) -> None:
    runs.make_run(tmp_path, [], status=f"failed: {PAYLOADS[0]}")
    (runs.make_run(tmp_path, [], name="bad") / "session.json").write_text(f'{{"session": "{PAYLOADS[0]}"')
    client = visit(tmp_path)
    for path in ("/", f"/runs/{RUN}", "/runs/bad"):
        assert_ours(client.get(path).text)
