"""Charts as SVG. Places across are percentages and sizes are pixels, so a chart fills any width and its letters stay
the size of the page's; colours are classes of the style sheet, so the same chart serves light, dark and paper.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from .markup import safe

LEFT, RIGHT = 8.0, 94.0
"""Where a plot begins and ends, in percent of the width."""
MANY = 12
"""Points above which only the first and the last carry their figure."""
SHADES = 7
"""Shades of a stacked bar; later parts share the last."""
LABEL = 12.0
"""Share of a stacked bar, in percent, from which a part carries its name."""


@dataclass(frozen=True, slots=True)
class Point:
    """An estimate with its interval, as shares."""

    rate: float
    low: float
    high: float
    promoted: bool = True
    name: str = ""
    """What stands under it."""


def curve(points: Sequence[Point], *, title: str, height: int = 270, letters: bool = True) -> str:
    """Draw scores over rounds: promoted ones filled and joined, rejected ones hollow and hung on their incumbent.

    Args:
        points: by round; the first is the student the session began with.
        title: what is drawn, plain text.
        height: in pixels.
        letters: whether points carry figures and rounds their numbers.
    """
    top, bottom = (26, height - 26) if letters else (8, height - 6)
    plot = _Plot(len(points), top, bottom)
    shown = (0.0, 0.25, 0.5, 0.75, 1.0) if letters else (0.0, 1.0)
    parts = [_grid(plot.y(rate), f"{rate:.0%}" if letters else "") for rate in shown]
    incumbent = 0
    for i, point in enumerate(points):
        if i:
            kind = "join" if point.promoted else "hang"
            parts.append(_line(plot.x(incumbent), plot.y(points[incumbent].rate), plot.x(i), plot.y(point.rate), kind))
        incumbent = i if point.promoted else incumbent
    parts += [_whisker(plot.x(i), plot.y(p.low), plot.y(p.high)) for i, p in enumerate(points)]
    parts += [_dot(plot.x(i), plot.y(p.rate), plot.radius, hollow=not p.promoted) for i, p in enumerate(points)]
    if letters:
        parts += _figures(points, plot)
    said = ", ".join(f"{p.name} {p.rate:.1%}{'' if p.promoted else ' rejected'}" for p in points)
    return _svg(title, said, height, parts)


@dataclass(frozen=True, slots=True)
class _Plot:
    """Where things are in a curve."""

    count: int
    top: float
    bottom: float

    def x(self, i: int) -> float:
        return (LEFT + RIGHT) / 2 if self.count == 1 else LEFT + (RIGHT - LEFT) * i / (self.count - 1)

    def y(self, rate: float) -> float:
        return self.bottom - rate * (self.bottom - self.top)

    @property
    def radius(self) -> float:
        small = self.bottom - self.top < 100
        return (3.0 if small else 5.0) if self.count <= MANY else (2.0 if small else 3.5)


def _figures(points: Sequence[Point], plot: _Plot) -> list[str]:
    few = len(points) <= MANY
    every = -(-len(points) // MANY)
    parts: list[str] = []
    for i, point in enumerate(points):
        if few or i in (0, len(points) - 1):
            parts.append(_text(plot.x(i), plot.y(point.high) - 7, f"{100 * point.rate:.1f}", "figure"))
        if i % every == 0:
            parts.append(_text(plot.x(i), plot.bottom + 19, point.name, "tick"))
    return parts


def fall(figures: Sequence[tuple[float, float]], *, title: str, height: int = 160) -> str:
    """Draw a figure over the steps of a training as a line, on a scale from 0 to its largest value.

    Args:
        figures: step and value, at least one; steps ascend and values are finite.
        title: what is drawn, plain text.
        height: in pixels.
    """
    top, bottom = 14, height - 22
    first, last = figures[0][0], figures[-1][0]
    most = max(value for _, value in figures) or 1.0

    def at(step: float, value: float) -> tuple[float, float]:
        across = (step - first) / (last - first) if last > first else 0.5
        return LEFT + (RIGHT - LEFT) * across, bottom - max(value, 0.0) / most * (bottom - top)

    parts = [_grid(at(first, most * share)[1], f"{most * share:.3g}") for share in (0.0, 0.5, 1.0)]
    parts += [_line(*at(*one), *at(*other), "join") for one, other in pairwise(figures)]
    parts += [_dot(*at(*one), 2.0) for one in figures] if len(figures) <= MANY else []
    parts += [_text(at(step, 0)[0], bottom + 17, f"{step:,.0f}", "tick") for step in dict.fromkeys((first, last))]
    return _svg(title, f"{figures[0][1]:.3g} at step {first:,.0f}, {figures[-1][1]:.3g} at {last:,.0f}", height, parts)


def bars(base: Point, final: Point, control: float | None) -> str:
    """Draw one skill's pass rate before and after as bars, the control arm's as a third."""
    height = 27 if control is None else 36
    parts = [_grid(height - 1, "")]
    for row, (kind, point) in enumerate((("base", base), ("final", final))):
        y = 3 + 11 * row
        parts.append(_bar(0, 100 * point.rate, y, 8, kind))
        parts += [_line(100 * point.low, y + 4, 100 * point.high, y + 4, kind) for kind in ("casing", "whisker")]
    if control is not None:
        parts.append(_bar(0, 100 * control, 25, 8, "control"))
    said = f"before {base.rate:.1%}, after {final.rate:.1%}" + (
        f", control {control:.1%}" if control is not None else ""
    )
    return _svg("Pass rate from 0 to 100 %", said, height, parts)


def difference(change: float, low: float, high: float, *, title: str, less: str, more: str) -> str:
    """Draw a difference of shares with its interval, about zero; `less` and `more` say what the sides mean."""
    reach = 1.25 * max(abs(low), abs(high), abs(change), 0.01)

    def x(value: float) -> float:
        return 50 + 50 * value / reach

    parts = [
        _line(0, 40, 100, 40, "grid"),
        _line(50, 22, 50, 58, "zero"),
        _line(x(low), 40, x(high), 40, "span"),
        _line(x(low), 34, x(low), 46, "whisker"),
        _line(x(high), 34, x(high), 46, "whisker"),
        _dot(x(change), 40, 6.0),
        _text(x(change), 24, f"{100 * change:+.1f}".replace("-", "−"), "figure"),
        _text(50, 74, "0", "tick"),
        _text(0, 74, f"← {less}", "tick from"),
        _text(100, 74, f"{more} →", "tick to"),
    ]
    return _svg(title, f"{100 * change:+.1f} points, interval {100 * low:+.1f} to {100 * high:+.1f}", 82, parts)


def shift(change: float, low: float, high: float, *, reach: float, title: str) -> str:
    """Draw a difference of shares as a bar from zero with its interval, on a scale from -`reach` to `reach`."""

    def x(value: float) -> float:
        return 50 + 50 * min(1.0, max(-1.0, value / reach))

    parts = [
        _bar(min(50, x(change)), abs(x(change) - 50), 6, 10, "final" if change >= 0 else "worse"),
        _line(50, 0, 50, 22, "zero"),
        _line(x(low), 11, x(high), 11, "casing"),
        _line(x(low), 11, x(high), 11, "whisker"),
    ]
    return _svg(title, f"{100 * change:+.1f} points, interval {100 * low:+.1f} to {100 * high:+.1f}", 22, parts)


def foresight(foreseen: float, seen: Point) -> str:
    """Draw a foreseen pass rate as a stroke, and the one seen as a dot with its interval."""
    parts = [
        _line(0, 14, 100, 14, "grid"),
        _line(100 * seen.low, 14, 100 * seen.high, 14, "span"),
        _line(100 * foreseen, 5, 100 * foreseen, 23, "foreseen"),
        _dot(100 * seen.rate, 14, 5.0),
    ]
    parts += [_text(0, 38, "0", "tick from"), _text(100, 38, "100 %", "tick to")]
    said = f"foreseen {foreseen:.1%}, seen {seen.rate:.1%}, interval {seen.low:.1%} to {seen.high:.1%}"
    return _svg("Foreseen and seen pass rate from 0 to 100 %", said, 44, parts)


def stack(parts: Sequence[tuple[str, float]], *, title: str) -> str:
    """Draw shares of a whole as one bar, in the order given; wide parts carry their names."""
    drawn: list[str] = []
    start = 0.0
    for i, (name, share) in enumerate(parts):
        width = 100 * share
        drawn.append(_bar(start, width, 0, 30, f"part-{shade(i)}"))
        if width >= LABEL:
            drawn.append(_text(start + 1, 20, name, f"within within-{shade(i)}"))
        start += width
    return _svg(title, ", ".join(f"{name} {share:.0%}" for name, share in parts), 30, drawn)


def shade(i: int) -> int:
    """Number of the shade of a stacked bar's i-th part, for a key beside the bar."""
    return min(i, SHADES - 1)


def _svg(title: str, said: str, height: int, parts: Sequence[str]) -> str:
    return (
        f'<svg class="chart" role="img" aria-label="{safe(title)}: {safe(said)}" width="100%" height="{height}">'
        f"<title>{safe(title)}</title><desc>{safe(said)}</desc>{''.join(parts)}</svg>"
    )


def _grid(y: float, label: str) -> str:
    text = f'<text class="tick from" x="0" y="{y - 4:.1f}">{label}</text>' if label else ""
    return _line(0, y, 100, y, "grid") + text


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.2f}%" y1="{y1:.1f}" x2="{x2:.2f}%" y2="{y2:.1f}"/>'


def _whisker(x: float, y1: float, y2: float) -> str:
    return _line(x, y1, x, y2, "whisker")


def _dot(x: float, y: float, radius: float, *, hollow: bool = False) -> str:
    return f'<circle class="{"hollow" if hollow else "dot"}" cx="{x:.2f}%" cy="{y:.1f}" r="{radius}"/>'


def _bar(x: float, width: float, y: float, height: float, kind: str) -> str:
    return f'<rect class="{kind}" x="{x:.2f}%" y="{y}" width="{max(width, 0):.2f}%" height="{height}"/>'


def _text(x: float, y: float, label: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:.2f}%" y="{y:.1f}">{safe(label)}</text>'
