# scikit-learn's side of the linear probe, in float32. Arguments: folder with features and labels, sizes. Requests: { C, maxIterations }.
import json
import os
import resource
import sys
import time
import warnings

import numpy as np
import sklearn
from sklearn.linear_model import LogisticRegression

warnings.simplefilter("ignore")
folder, sizes = sys.argv[1], json.loads(sys.argv[2])
rows = sizes["rows"]
features = np.fromfile(os.path.join(folder, "features.f32"), dtype=np.float32).reshape(-1, sizes["width"])
labels = np.fromfile(os.path.join(folder, "labels.i32"), dtype=np.int32)
train, test = features[:rows], features[rows:]


def answer(value):
    print("answer " + json.dumps(value), flush=True)


answer({"name": f"scikit-learn {sklearn.__version__}, numpy {np.__version__}, {os.cpu_count()} processors"})
for line in sys.stdin:
    request = json.loads(line)
    start = time.perf_counter()
    model = LogisticRegression(C=request["C"], max_iter=request["maxIterations"], random_state=0)
    model.fit(train, labels[:rows])
    milliseconds = (time.perf_counter() - start) * 1000
    scores = train @ model.coef_.T + model.intercept_
    top = scores.max(axis=1, keepdims=True)
    logs = top[:, 0] + np.log(np.exp(scores - top).sum(axis=1, dtype=np.float64))
    loss = (logs - scores[np.arange(rows), labels[:rows]]).sum(dtype=np.float64)
    answer(
        {
            "ms": milliseconds,
            "iterations": int(model.n_iter_[0]),
            "objective": float(0.5 * (model.coef_.astype(np.float64) ** 2).sum() + request["C"] * loss),
            "accuracy": float(model.score(test, labels[rows:])),
            "peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        }
    )
