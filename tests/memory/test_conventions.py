import inspect
import json
import re
from pathlib import Path

from opentelemetry.semconv._incubating.attributes import gen_ai_attributes
from opentelemetry.semconv.attributes import error_attributes

from evolvent.memory import conventions
from evolvent.memory.inference import Completion
from evolvent.memory.spans import Spans
from evolvent.memory.trace import Trace, recording, span

ROOT = Path(__file__).parents[2]


def test_every_name_taken_from_the_conventions_is_in_them() -> None:
    known = {v for m in (gen_ai_attributes, error_attributes) for v in vars(m).values() if isinstance(v, str)}
    source = inspect.getsource(vars(gen_ai_attributes)["GenAiOperationNameValues"])
    operations = set(re.findall(r'= "(\w+)"', source))
    own = {v for k, v in vars(conventions).items() if k.isupper() and isinstance(v, str) and k != "OWN"}
    assert {name for name in own if "." in name} <= known
    assert {name for name in own if "." not in name} <= operations


def test_the_names_stand_in_one_module() -> None:
    sources = [p for room in ("agents", "memory", "scenarios", "training") for p in (ROOT / room).rglob("*.py")]
    assert [p.name for p in sources if "gen_ai." in p.read_text(encoding="utf-8")] == ["conventions.py"]


def test_steps_are_called_by_their_operation_and_what_they_work_with(tmp_path: Path) -> None:
    with recording(Trace(tmp_path / "trace.sqlite")):
        with conventions.tool("recall", call="call-0-1", skill="carry"):
            pass
        with conventions.embeddings("hashing", dimensions=256, texts=3):
            pass
        with span("exam", items=2):
            pass
    tool, embedded, exam = next(Spans.open(tmp_path / "trace.sqlite").all())
    assert (tool.name, embedded.name, exam.name) == ("execute_tool recall", "embeddings hashing", "exam")
    assert tool.attributes["gen_ai.tool.call.id"] == "call-0-1"
    assert embedded.attributes["gen_ai.embeddings.dimension.count"] == 256
    assert conventions.outward(exam.attributes) == {"evolvent.items": 2}
    assert json.dumps(conventions.outward({"a": None, "gen_ai.b": 1})) == '{"gen_ai.b": 1}'


def test_tokens_that_nobody_counted_are_left_out() -> None:
    counted = [Completion("a", 3, complete=True, prompt_tokens=5), Completion("b", 1, complete=True, prompt_tokens=2)]
    assert conventions.usage(counted) == {"gen_ai.usage.input_tokens": 7, "gen_ai.usage.output_tokens": 4}
    assert conventions.usage([Completion("a", 3, complete=True)]) == {"gen_ai.usage.output_tokens": 3}
