"""Whether a chat template can be trained with: what it makes of a question has to begin what it makes of both.

The loss lies on what follows the prompt, so a template that words a question otherwise once it is answered would train
on another text than the student is asked.
"""

from collections.abc import Mapping

QUESTION, ANSWER = "what is 2+3?", "it is 5"


def trouble(template: str, special: Mapping[str, str]) -> str | None:
    """Say what is wrong with a chat template; None when nothing is.

    Args:
        template: Jinja source, which is run in a sandbox.
        special: special tokens by their names, such as `eos_token`.
    """
    from jinja2 import TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    asked = {"role": "user", "content": QUESTION}
    try:
        made = environment.from_string(template)
        prompt = made.render(messages=[asked], add_generation_prompt=True, **special)
        both = made.render(messages=[asked, {"role": "assistant", "content": ANSWER}], **special)
    except (TemplateError, TypeError) as error:
        return f"it cannot be rendered ({error})"
    if QUESTION not in prompt or ANSWER not in both:
        return "it leaves out what is said"
    return None if both.startswith(prompt) else "an answered question begins otherwise than the question alone"
