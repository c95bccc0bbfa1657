"""Charts as SVG, drawn as the viewer draws them."""

from ..memory.viewer.charts import Point, bars, curve, difference, foresight, shade, stack

__all__ = ["Point", "bars", "curve", "difference", "foresight", "shade", "stack"]
