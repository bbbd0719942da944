"""Makes fixtures/probe.json: scikit-learn's logistic regression and nearest neighbours on its digits images.

    pip install scikit-learn
    python make_probe_goldens.py > ../fixtures/probe.json

The digits (1,797 pictures of 8 by 8, 64 values from 0 to 16) are deflated bytes in base64; the first 1,000 are learned from.
`logistic`: LogisticRegression(C, max_iter=1000) with its default solver (L-BFGS) in float64; `objective` is ½‖w‖² + C Σ loss
of a fit with tol=1e-8. `two`: the digits 3 and 8 alone, which scikit-learn fits as one plane. `neighbours`:
KNeighborsClassifier by cosine.
"""
import base64
import json
import sys
import warnings
import zlib

import numpy as np
import scipy
import sklearn
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

warnings.simplefilter("ignore")
LEARNED = 1000
x, y = load_digits(return_X_y=True)


def objective(model, x, y, C):
    scores = model.decision_function(x)
    if scores.ndim == 1:
        right = np.where(y == model.classes_[1], 1, -1)
        loss = np.logaddexp(0, -right * scores).sum()
    else:
        top = scores.max(axis=1)
        logs = top + np.log(np.exp(scores - top[:, None]).sum(axis=1))
        loss = (logs - scores[np.arange(len(y)), y]).sum()
    return float(0.5 * (model.coef_**2).sum() + C * loss)


def logistic(x, y, test, truth, C):
    model = LogisticRegression(C=C, max_iter=1000).fit(x, y)
    tight = LogisticRegression(C=C, max_iter=20000, tol=1e-8).fit(x, y)
    return {
        "C": C,
        "iterations": int(model.n_iter_[0]),
        "accuracy": float(model.score(test, truth)),
        "predictions": [int(v) for v in model.predict(test)],
        "objective": objective(tight, x, y, C),
    }


def neighbours(k, weights):
    model = KNeighborsClassifier(k, metric="cosine", algorithm="brute", weights=weights)
    model.fit(x[:LEARNED], y[:LEARNED])
    predictions = model.predict(x[LEARNED:])
    return {"k": k, "predictions": [int(v) for v in predictions]}


def weighted(k, temperature=0.07):
    """exp(cosine / temperature), as in instance discrimination (arXiv:1805.01978)."""
    found = neighbours(k, lambda distances: np.exp((1 - distances) / temperature))
    return {**found, "temperature": temperature}


train, test = x[:LEARNED], x[LEARNED:]
two = [np.isin(part, (3, 8)) for part in (y[:LEARNED], y[LEARNED:])]
print(
    json.dumps(
        {
            "tool": "packages/zeroshot/scripts/make_probe_goldens.py",
            "versions": {
                "python": sys.version.split()[0],
                "numpy": np.__version__,
                "scipy": scipy.__version__,
                "scikit-learn": sklearn.__version__,
            },
            "source": "scikit-learn's load_digits: test set of Optical Recognition of Handwritten Digits, E. Alpaydin and C. Kaynak, UCI Machine Learning Repository, CC BY 4.0",
            "learned": LEARNED,
            "width": 64,
            "pixels": base64.b64encode(zlib.compress(x.astype(np.uint8).tobytes(), 9)).decode(),
            "digits": "".join(str(v) for v in y),
            "logistic": [
                logistic(train, y[:LEARNED], test, y[LEARNED:], C) for C in (0.001, 0.316, 10.0)
            ],
            "two": logistic(
                train[two[0]], (y[:LEARNED][two[0]] == 8) * 1, test[two[1]], (y[LEARNED:][two[1]] == 8) * 1, 0.1
            ),
            "uniform": [neighbours(k, "uniform") for k in (1, 4, 20)],
            "weighted": [weighted(k) for k in (5, 20)],
        }
    )
)
