"""The same for every skill: the baseline every other allocator has to beat."""

from collections.abc import Mapping, Sequence

from ..allocator import Allocator, History, Portion


class Uniform(Allocator):
    """Split evenly."""

    def split(self, histories: Sequence[History], budget: int, *, replay: int, skills: int) -> Mapping[str, Portion]:
        """Give every skill the same, abandoned or not."""
        del replay, skills
        names = sorted(h.skill for h in histories)
        each, extra = divmod(budget, len(names))
        return {name: Portion(each + (i < extra), "even share") for i, name in enumerate(names)}
