"""Which of vLLM's own arguments a scenario may add: none that Evolvent sets itself, and none that loads code.

vLLM takes `_` for `-`, a leading `no-` for a switch, and any beginning of a name that only one argument has.
"""

import re

MANAGED = frozenset(
    {
        "config", "disable-log-stats", "dtype", "enable-lora", "enable-sleep-mode", "enforce-eager",
        "generation-config", "gpu-memory-utilization", "load-format", "max-cpu-loras", "max-lora-rank", "max-loras",
        "model", "revision", "seed", "served-model-name", "tokenizer",
    }
)  # fmt: skip
"""What Evolvent sets, by its own settings where there are such."""
REACHED = frozenset(
    {
        "allow-credentials", "allowed-headers", "allowed-methods", "allowed-origins", "api-key", "api-server-count",
        "grpc", "headless", "host", "port", "root-path", "ssl-ca-certs", "ssl-certfile", "ssl-keyfile", "uds",
    }
)  # fmt: skip
"""What decides who reaches the server."""
CODE = frozenset(
    {
        "logits-processors", "middleware", "reasoning-parser-plugin", "tool-parser-plugin", "trust-remote-code",
        "worker-cls", "worker-extension-cls",
    }
)  # fmt: skip
"""What brings code along."""
FORM = re.compile(r"--(?P<name>[A-Za-z][\w-]*)(\.[\w.+-]*)?(=.*)?", re.DOTALL)


def check(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """Give arguments back as they are.

    Raises:
        ValueError: one is not of the form `--name=value`, or not for a scenario to set.
    """
    for argument in arguments:
        form = FORM.fullmatch(argument)
        if form is None:
            raise ValueError(f"{argument!r} is no argument of the form --name=value, such as '--max-model-len=4096'")
        name = form["name"].lower().replace("_", "-").removeprefix("no-")
        taken = sorted(known for known in MANAGED | REACHED | CODE if known.startswith(name))
        if taken:
            raise ValueError(f"{argument!r} would set {taken[0]!r}, which Evolvent decides itself; leave it away")
    return arguments
