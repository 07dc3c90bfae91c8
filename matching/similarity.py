"""How alike texts are, a whole column at a time: 0..1, 1 for equal."""

from collections.abc import Sequence

import numpy as np
from rapidfuzz import fuzz
from rapidfuzz.distance import Indel
from rapidfuzz.process import cdist, cpdist

WORKERS = -1
"""Threads: as many as there are cores."""


def alike(left: Sequence[str], right: Sequence[str]) -> np.ndarray:
    """Of each text and the other at its place, the share of letters that need no insertion or deletion."""
    return cpdist(left, right, scorer=Indel.normalized_similarity, dtype=np.float64, workers=WORKERS)


def alike_in_words(left: Sequence[str], right: Sequence[str]) -> np.ndarray:
    """The same of their words, in any order and without those that one side alone has."""
    return cpdist(left, right, scorer=fuzz.token_set_ratio, dtype=np.float64, workers=WORKERS) / 100


def all_alike(left: Sequence[str], right: Sequence[str], floor: float) -> np.ndarray:
    """Of each text and each other, len(left) x len(right); 0 below the floor."""
    return cdist(left, right, scorer=Indel.normalized_similarity, score_cutoff=floor, dtype=np.float32)
