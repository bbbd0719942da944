"""Makes fixtures/retrieval.json: recall@k by CLIP_benchmark, recall@k and ranks by open_clip's validation.

    pip install torch tqdm open_clip_torch && pip install --no-deps clip-benchmark
    python make_retrieval_goldens.py > ../fixtures/retrieval.json

`clipBenchmark`: `recall_at_k(...) > 0` of clip_benchmark/metrics/zeroshot_retrieval.py on scores of its own kind (texts
times images, float64 here). `openClip`: `get_clip_metrics` of open_clip_train/train.py, its source taken alone, where there is one
text an image. Cases with equal scores (`tied`) hold what the originals happen to say beside what counting ties against
the query says (numpy): both sort without an order among equal scores.
"""
import ast
import importlib.util
import json
import os
import sys
from importlib.metadata import version

import numpy as np
import torch
import torch.nn.functional as F


def module(package, *path):
    spec = importlib.util.find_spec(package)
    return os.path.join(os.path.dirname(spec.origin), *path)


spec = importlib.util.spec_from_file_location(
    "zeroshot_retrieval", module("clip_benchmark", "metrics", "zeroshot_retrieval.py")
)
clip_benchmark = importlib.util.module_from_spec(spec)
spec.loader.exec_module(clip_benchmark)

with open(module("open_clip_train", "train.py")) as file:
    source = file.read()
function = next(
    node
    for node in ast.parse(source).body
    if isinstance(node, ast.FunctionDef) and node.name == "get_clip_metrics"
)
scope = {"torch": torch, "np": np, "F": F}
exec(ast.get_source_segment(source, function), scope)
get_clip_metrics = scope["get_clip_metrics"]

random = np.random.default_rng(11)


def unit(values):
    values = np.asarray(values, dtype=np.float64)
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    return (values / np.where(lengths == 0, 1, lengths)).astype(np.float32)


def against(scores, positives, k):
    """Right only where fewer than k others score at least as high (or are no numbers)."""
    hits = []
    for row, own in zip(scores, positives):
        known = row[own][~np.isnan(row[own])]
        best = known.max() if len(known) else np.nan
        rank = (~(row < best) & ~own).sum()
        hits.append(rank < k and not np.isnan(best))
    return float(np.mean(hits))


def case(name, images, texts, image_of, ks=(1, 2, 5)):
    x, y = torch.tensor(images, dtype=torch.float64), torch.tensor(texts, dtype=torch.float64)
    scores = y @ x.t()
    positive = torch.zeros_like(scores, dtype=torch.bool)
    positive[torch.arange(len(scores)), torch.tensor(image_of)] = True
    ks = [k for k in ks if k <= min(scores.shape)]
    recall = lambda s, p, k: float((clip_benchmark.recall_at_k(s, p, k) > 0).double().mean())
    s, p = scores.numpy(), positive.numpy()
    tied = bool(any(len(np.unique(row)) < len(row) for m in (s, s.T) for row in m))
    found = {
        "name": name,
        "images": [[None if np.isnan(v) else float(v) for v in row] for row in images],
        "texts": [[None if np.isnan(v) else float(v) for v in row] for row in texts],
        "imageOf": [int(i) for i in image_of],
        "tied": tied,
        "clipBenchmark": {
            **{f"textToImage/recall@{k}": recall(scores, positive, k) for k in ks},
            **{f"imageToText/recall@{k}": recall(scores.T, positive.T, k) for k in ks},
        },
        "tiesAgainst": {
            **{f"textToImage/recall@{k}": against(s, p, k) for k in ks},
            **{f"imageToText/recall@{k}": against(s.T, p.T, k) for k in ks},
        },
    }
    if list(image_of) == list(range(len(images))):
        theirs = get_clip_metrics(x, y, torch.tensor(100.0, dtype=torch.float64))
        names = {"image_to_text": "imageToText", "text_to_image": "textToImage"}
        parts = {"mean_rank": "meanRank", "median_rank": "medianRank"}
        found["openClip"] = {
            f"{names[way]}/{parts.get(part, part.replace('R@', 'recall@'))}": float(
                theirs[f"{way}_{part}"]
            )
            for way in names
            for part in [*parts, "R@1", "R@5", "R@10"]
        }
    return found


def pairs(n, d, noise):
    images = random.normal(size=(n, d))
    return unit(images), unit(images + noise * random.normal(size=(n, d)))


def captions(n, d, counts, noise):
    images = random.normal(size=(n, d))
    image_of = [i for i, count in enumerate(counts) for _ in range(count)]
    texts = images[image_of] + noise * random.normal(size=(len(image_of), d))
    return unit(images), unit(texts), image_of


def broken(images, texts, image_of, bad_images=(), bad_texts=()):
    images, texts = images.copy(), texts.copy()
    for i in bad_images:
        images[i, 0] = np.nan
    for i in bad_texts:
        texts[i, 0] = np.nan
    return images, texts, image_of


levels = lambda n, d: unit(random.integers(-1, 2, size=(n, d)))
cases = [
    case("random 1:1", *pairs(24, 6, 0.7), range(24)),
    case("chance 1:1", unit(random.normal(size=(21, 4))), unit(random.normal(size=(21, 4))), range(21)),
    case("one pair", *pairs(1, 3, 0.1), range(1)),
    case("all wrong", unit(np.eye(6)), unit(np.roll(np.eye(6), 1, axis=0) - 0.5 * np.eye(6)), range(6)),
    case("five captions an image", *captions(12, 6, [5] * 12, 0.9)),
    case("one to four captions an image", *captions(14, 5, [1, 2, 3, 4, 1, 1, 2, 4, 3, 2, 1, 4, 2, 1], 0.8)),
    case("ties", levels(16, 3), levels(16, 3), range(16)),
    case("all features equal", unit(np.ones((7, 4))), unit(np.ones((7, 4))), range(7)),
    case("ties, several captions", levels(9, 3), levels(18, 3), [i // 2 for i in range(18)]),
    # Of broken candidates the originals say that they come first, as we do; of broken queries whatever a sort leaves.
    case("broken candidate texts", *broken(*captions(10, 6, [3] * 10, 0.5), bad_texts=[4])),
]
print(
    json.dumps(
        {
            "tool": "packages/zeroshot/scripts/make_retrieval_goldens.py",
            "versions": {
                "python": sys.version.split()[0],
                "numpy": np.__version__,
                "torch": torch.__version__,
                "clip-benchmark": version("clip-benchmark"),
                "open_clip_torch": version("open_clip_torch"),
            },
            "seed": 11,
            "cases": cases,
        }
    )
)
