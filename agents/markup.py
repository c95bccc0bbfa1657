"""Text, figures and tables as HTML, set as the viewer sets them."""

from ..memory.viewer.markup import (
    KEPT,
    LONGEST,
    NOTHING,
    UNSEEN,
    between,
    code,
    duration,
    fold,
    percent,
    points,
    safe,
    section,
    several,
    table,
    visible,
    within,
)

__all__ = [
    "KEPT", "LONGEST", "NOTHING", "UNSEEN", "between", "code", "duration", "fold", "percent", "points", "safe",
    "section", "several", "table", "visible", "within",
]  # fmt: skip
