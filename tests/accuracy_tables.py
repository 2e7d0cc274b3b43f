"""Accuracy tables as SDK v1 describes them, made of labels and predicted probabilities."""

from __future__ import annotations

import numpy as np


def accuracy_table(truth, scores, thresholds, percentiles=None, labels=None):
    """Count a classifier's rows, one class against the rest.

    Parameters
    ----------
    truth
        The class of each row, by its number; shape (N,).
    scores
        Predicted probabilities, shape (N, C).
    thresholds
        Probability thresholds.
    percentiles
        Percentile thresholds from 0 to 1; by default none.
    labels
        Names of the classes; by default their numbers.
    """
    percentiles = np.array([] if percentiles is None else percentiles)
    classes = scores.shape[1]

    def counts(c, limits):
        called = scores[:, c] >= np.asarray(limits, dtype=float)[:, None]
        is_class = truth == c
        sums = [called & is_class, called & ~is_class, ~called & ~is_class, ~called & is_class]
        return np.stack([part.sum(axis=1) for part in sums], axis=1).astype(int).tolist()

    return {
        "schema_type": "accuracy_table",
        "schema_version": "1.0.1",
        "data": {
            "probability_tables": [counts(c, thresholds) for c in range(classes)],
            "percentile_tables": [
                counts(c, np.quantile(scores[:, c], percentiles)) if len(percentiles) else [] for c in range(classes)
            ],
            "probability_thresholds": list(map(float, thresholds)),
            "percentile_thresholds": list(map(float, percentiles)),
            "class_labels": labels or [str(c) for c in range(classes)],
        },
    }


def classifier(rows=400, classes=3, seed=1, skill=1.5):
    """Give classes and probabilities of a classifier that is right more often than not."""
    random = np.random.default_rng(seed)
    truth = random.choice(classes, rows, p=np.arange(1, classes + 1) / (classes * (classes + 1) / 2))
    logits = random.normal(size=(rows, classes))
    logits[np.arange(rows), truth] += skill
    odds = np.exp(logits)
    return truth, odds / odds.sum(axis=1, keepdims=True)
