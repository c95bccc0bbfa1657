"""Rows of a table that the learning dynamics of a classifier boosted on real rows confidently contradict.

Boosting rounds are the checkpoints: what a label's probability was after each of them is what `Dynamics` judges.

Source: CLLM, Seedat et al. 2024, arXiv:2312.12112; there with XGBoost, here with scikit-learn.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .generation import Floats, Rows
from .scorers.dynamics import Dynamics

ROUNDS = 100
"""Boosting rounds."""
DEPTH = 3
"""Of each tree."""
UNLIKELY = 0.2
"""Confidence up to which a label counts as contradicted, as in the source."""
CERTAIN = 0.2
"""Uncertainty up to which that is confident, as in the source; no row of so low a confidence has more."""


def watched(real: Rows, rows: Rows, *, seed: int) -> Floats:
    """Probability of every row's label after each boosting round on real rows; rounds by rows.

    A label that no real row has gets 0, and the only label that real rows have gets 1.
    """
    from sklearn.ensemble import GradientBoostingClassifier

    named = np.unique(real.labels_S)
    if len(named) < 2:
        return np.tile((rows.labels_S == named[0]).astype(np.float64), (ROUNDS, 1))
    model: Any = GradientBoostingClassifier(n_estimators=ROUNDS, max_depth=DEPTH, random_state=seed)
    model.fit(real.values_SD, real.labels_S)
    at_S = np.searchsorted(named, rows.labels_S).clip(max=len(named) - 1)
    known_S, every_S = named[at_S] == rows.labels_S, np.arange(len(at_S))
    return np.stack([p_SL[every_S, at_S] * known_S for p_SL in model.staged_predict_proba(rows.values_SD)])


def contradicted(likely_ES: Floats, *, unlikely: float = UNLIKELY, certain: float = CERTAIN) -> NDArray[np.bool_]:
    """Which rows to discard.

    Args:
        likely_ES: as `watched` gives it.
        unlikely: confidence up to which a label counts as contradicted, in [0, 1].
        certain: uncertainty up to which that is confident, in [0, 0.25]; 0 for 0.75 of the range of the rows.
    """
    return Dynamics(unlikely=unlikely, certain=certain).judge(likely_ES) < 0
