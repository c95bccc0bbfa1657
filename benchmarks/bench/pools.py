"""Items as curation sees them, so that a scorer or selector of the product can be tried on an experiment's pool."""

from collections.abc import Callable, Sequence

from ...memory.embedder import Vectors
from ...training.curation.pool import Pool, Row
from .tasks import Item


def pool(items: Sequence[Item], embed: Callable[[Sequence[str]], Vectors] | None = None) -> Pool:
    """Give items an id each, their position, and the skills their names; positions chosen are positions in `items`."""
    rows = (Row(f"{at:06}", item.prompt, item.answer, item.skill) for at, item in enumerate(items))
    return Pool(tuple(rows), embed)
