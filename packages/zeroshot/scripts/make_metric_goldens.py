"""Makes fixtures/metrics.json: metrics of classification by scikit-learn, CLIP_benchmark and numpy.

    pip install scikit-learn torch tqdm && pip install --no-deps clip-benchmark
    python make_metric_goldens.py > ../fixtures/metrics.json

top-k accuracy: CLIP_benchmark's `accuracy`, where no scores are equal; balanced accuracy, confusion matrix: scikit-learn,
from an argmax; average precision: scikit-learn's average_precision_score and CLIP_benchmark's average_precision_per_class;
label ranking: scikit-learn's label_ranking_average_precision_score; calibration: Guo et al. 2017 (arXiv:1706.04599, eq. 3)
in numpy, bins ((m-1)/M, m/M]; worst group: the least of CLIP_benchmark's accuracy within each group.

Cases with equal scores (`ties`) hold what the two originals say of them (the first class wins, by argmax) beside what
counting ties against the query says (a numpy count: right only where no other class scores as high).
"""
import importlib.util
import json
import os
import sys
import warnings

import numpy as np
import sklearn
import torch
from importlib.metadata import version
from sklearn.metrics import (
    average_precision_score,
    balanced_accuracy_score,
    confusion_matrix,
    label_ranking_average_precision_score,
)

# The module alone: the package's own imports want data sets and Java.
spec = importlib.util.find_spec("clip_benchmark")
path = os.path.join(os.path.dirname(spec.origin), "metrics", "zeroshot_classification.py")
module = importlib.util.spec_from_file_location("zeroshot_classification", path)
clip_benchmark = importlib.util.module_from_spec(module)
module.loader.exec_module(clip_benchmark)
# Its float(array of one) is an error in NumPy 2.4; the value is the same.
clip_benchmark.float = lambda value: float(np.asarray(value).reshape(()))

warnings.simplefilter("ignore")
random = np.random.default_rng(7)


def single(scores, targets, scale=1.0, bins=15, groups=None, **note):
    scores = np.asarray(scores, dtype=np.float64)
    targets = np.asarray(targets)
    classes = scores.shape[1]
    logits, truth = torch.tensor(scores), torch.tensor(targets)
    ks = [k for k in (1, 2, 5) if k <= classes]
    guesses = scores.argmax(axis=1)
    tied = bool(any(len(set(row)) < classes for row in scores.tolist()))
    strict = np.array(
        [(row >= row[t]).sum() - 1 for row, t in zip(scores, targets)]
    )
    found = {
        **note,
        "scores": scores.tolist(),
        "targets": targets.tolist(),
        "scale": scale,
        "bins": bins,
        "tied": tied,
        "tiesAgainst": {f"top{k}": float((strict < k).mean()) for k in ks},
        "accuracy": dict(zip([f"top{k}" for k in ks], clip_benchmark.accuracy(logits, truth, topk=tuple(ks)))),
        "balancedAccuracy": float(balanced_accuracy_score(targets, guesses)),
        "confusion": confusion_matrix(targets, guesses, labels=list(range(classes))).tolist(),
        "calibrationError": calibration(scores * scale, targets, strict == 0, bins),
    }
    if groups is not None:
        of = np.asarray(groups)
        found["groups"] = list(groups)
        found["worst"] = min(
            clip_benchmark.accuracy(logits[torch.tensor(of == name)], truth[torch.tensor(of == name)])[0]
            for name in set(groups)
        )
    return found


def calibration(logits, targets, right, bins):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    confidence = (powers / powers.sum(axis=1, keepdims=True)).max(axis=1)
    borders = np.arange(bins + 1) / bins
    error = 0.0
    for m in range(bins):
        low = confidence >= 0 if m == 0 else confidence > borders[m]
        here = low & (confidence <= borders[m + 1])
        if here.any():
            error += here.mean() * abs(right[here].mean() - confidence[here].mean())
    return float(error)


def multi(scores, targets, **note):
    scores = np.asarray(scores, dtype=np.float64)
    targets = np.asarray(targets)
    per_class = clip_benchmark.average_precision_per_class(torch.tensor(scores), torch.tensor(targets))
    has = targets.sum(axis=0) > 0
    ours = [average_precision_score(targets[:, k], scores[:, k]) if has[k] else None for k in range(len(has))]
    labelled = targets.sum(axis=1) > 0
    return {
        **note,
        "scores": scores.tolist(),
        "targets": [np.flatnonzero(row).tolist() for row in targets],
        "tied": bool(any(len(set(column)) < len(column) for column in scores.T.tolist())),
        "averagePrecision": ours,
        "meanAveragePrecision": float(np.mean([value for value in ours if value is not None])),
        "clipBenchmark": per_class.tolist(),
        "labelRanking": float(label_ranking_average_precision_score(targets[labelled], scores[labelled])),
    }


def normal(*shape):
    return random.standard_normal(shape).round(3)


def distinct(*shape):
    return random.permutation(int(np.prod(shape))).reshape(shape) / 100 - 1


singles = [
    single(normal(60, 8), random.integers(0, 8, 60), name="random", scale=3.0,
           groups=[f"g{i % 4}" for i in range(60)]),
    single(normal(40, 6) + 2 * np.eye(6)[np.arange(40) % 6], np.arange(40) % 6, name="mostly right", scale=2.0, bins=10,
           groups=["a" if i < 37 else "b" for i in range(40)]),
    single(normal(30, 6), random.integers(0, 3, 30), name="three classes without items"),
    single(normal(1, 5), [3], name="one item"),
    single(normal(5, 2), [0, 1, 0, 1, 1], name="two classes"),
    single(-10 * np.eye(5) + normal(5, 5), np.arange(5), name="all wrong", scale=0.5),
    single(10 * np.eye(5) + normal(5, 5), np.arange(5), name="all right", scale=5.0),
    single(1000 * normal(12, 4), random.integers(0, 4, 12), name="confidences of 1 and extreme scores"),
    single(random.integers(0, 3, (40, 6)), random.integers(0, 6, 40), name="many ties"),
    single(np.zeros((10, 4)), np.arange(10) % 4, name="constant"),
]
multis = [
    multi(distinct(50, 6), random.random((50, 6)) < 0.3, name="random"),
    multi(distinct(20, 5), (random.random((20, 5)) < 0.4) * np.array([1, 1, 0, 1, 0]), name="classes without items"),
    multi(normal(1, 3), np.array([[1, 0, 1]]), name="one item"),
    multi(normal(8, 4), np.ones((8, 4)), name="every class right"),
    multi(-np.array([[1, 0], [0, 1], [1, 0]]) + normal(3, 2) / 10, np.array([[1, 0], [0, 1], [1, 0]]), name="all wrong"),
    multi(random.integers(0, 3, (30, 4)), random.random((30, 4)) < 0.4, name="many ties"),
    multi(np.zeros((10, 2)), np.arange(20).reshape(10, 2) % 3 == 0, name="constant"),
]
json.dump(
    {
        "tool": "packages/zeroshot/scripts/make_metric_goldens.py",
        "versions": {
            "python": sys.version.split()[0],
            "numpy": np.__version__,
            "scikit-learn": sklearn.__version__,
            "torch": torch.__version__,
            "clip-benchmark": version("clip-benchmark"),
        },
        "seed": 7,
        "single": singles,
        "multi": multis,
    },
    sys.stdout,
)
print()
