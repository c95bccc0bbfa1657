"""Whether an answer has the form that was asked for, and the one more turn that may mend it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...memory.inference import Request


def misfit(text: str, schema: Mapping[str, Any]) -> str | None:
    """Say in what way a text is not JSON of this schema; None when it is.

    JSON may spell half of a character, which nothing can be written with: that is no form that anybody asked for.
    """
    from jsonschema import Draft202012Validator

    try:
        value = json.loads(text)
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return "it holds an escape of half a character, such as \\ud83d; write characters as they are"
    except (ValueError, RecursionError) as error:
        return f"not JSON: {error}"
    wrong = next(iter(Draft202012Validator(dict(schema)).iter_errors(value)), None)
    return None if wrong is None else f"{wrong.json_path}: {wrong.message[:300]}"


def repair(request: Request, answer: str, trouble: str) -> Request:
    """Ask again, with the answer and what is wrong with it in the conversation."""
    asked = f"That answer cannot be used ({trouble}). Answer again with nothing but JSON of the given schema."
    turns = (*request.conversation(), {"role": "assistant", "content": answer}, {"role": "user", "content": asked})
    return replace(request, prompt="", system="", messages=turns)
