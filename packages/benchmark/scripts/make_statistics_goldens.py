"""Makes fixtures/statistics.json: quantiles and tests by SciPy, variances by their definition in NumPy.

    pip install numpy scipy
    python make_statistics_goldens.py > ../fixtures/statistics.json

- quantiles: scipy.stats.t.ppf; degrees of freedom whole and not.
- coins: scipy.stats.binomtest(k, n).pvalue, McNemar's exact test over discordant items.
- shares: scipy.stats.beta.ppf, Jeffreys' intervals of binomial shares.
- flips: scipy.stats.permutation_test, permutation_type="samples", all permutations.
- paired: scipy.stats.ttest_1samp over differences and its confidence interval.
- crossed: mean squares of a two-way analysis of variance without replication.
"""
import json

import numpy as np
import scipy
from scipy import stats

SEED = 0


def quantiles():
    rows = []
    for df in (1, 2, 2.37, 4, 9, 49, 1234.5, 50_000):
        for probability in (0.6, 0.95, 0.975, 0.9995):
            quantile = stats.t.ppf(probability, df)
            rows.append({"df": df, "probability": probability, "quantile": quantile})
    return rows


def coins():
    return [
        {"successes": k, "trials": n, "p": stats.binomtest(k, n).pvalue}
        for k, n in ((0, 1), (0, 5), (3, 6), (8, 10), (40, 61), (1000, 1900), (0, 1100))
    ]


def shares():
    rows = []
    for successes, trials in ((0, 10), (1, 1000), (1, 50_000), (3, 50), (5, 9), (49, 50), (12_000, 50_000)):
        low, high = stats.beta.ppf((0.025, 0.975), successes + 0.5, trials - successes + 0.5)
        rows.append(
            {
                "successes": successes,
                "trials": trials,
                "low": 0.0 if successes == 0 else low,
                "high": 1.0 if successes == trials else high,
            }
        )
    return rows


def flips(generator):
    cases = {
        "five seeds, all better": generator.uniform(0.5, 1.5, 5),
        "four better, one worse": np.array([1.0, 2.0, 0.5, 1.5, -0.25]),
        "zeros among them": np.array([0.0, 1.0, 0.0, 2.0, -0.5, 0.25]),
        "ties of sums": np.array([1.0, -1.0, 2.0, 3.0, -2.0, 1.0]),
        "ten drawn": generator.normal(0.4, 1, 10),
        "thirteen of thirds": generator.integers(-3, 4, 13) / 3,
        "all equal to nothing but one": np.array([0, 0, 0, 1.0]),
    }
    rows = []
    for name, differences in cases.items():
        nothing = np.zeros_like(differences)
        result = stats.permutation_test(
            (differences, nothing),
            lambda a, b: np.mean(a - b),
            vectorized=False,
            permutation_type="samples",
            n_resamples=np.inf,
        )
        rows.append({"name": name, "differences": differences.tolist(), "p": result.pvalue})
    return rows


def paired(generator):
    rows = []
    for n in (2, 3, 5, 10):
        differences = generator.normal(0.5, 1, n)
        test = stats.ttest_1samp(differences, 0)
        interval = test.confidence_interval(0.95)
        rows.append(
            {
                "differences": differences.tolist(),
                "p": test.pvalue,
                "low": interval.low,
                "high": interval.high,
            }
        )
    return rows


def crossed(generator):
    rows = []
    for seeds, items in ((3, 8), (5, 12), (2, 3)):
        scores = generator.normal(0, 1, (seeds, 1)) * 0.3 + generator.normal(0, 1, (1, items))
        values = (scores + generator.normal(0, 1, (seeds, items)) > 0).astype(float)
        mean = values.mean()
        by_seed, by_item = values.mean(1), values.mean(0)
        of_seeds = items * ((by_seed - mean) ** 2).sum() / (seeds - 1)
        of_items = seeds * ((by_item - mean) ** 2).sum() / (items - 1)
        rest = values - by_seed[:, None] - by_item[None, :] + mean
        of_rest = (rest**2).sum() / ((seeds - 1) * (items - 1))
        kurtosis = stats.kurtosis(by_item)
        rows.append(
            {
                "values": values.tolist(),
                "mean": mean,
                "seedVariance": of_seeds / (seeds * items),
                "itemVariance": max(0.0, of_items - of_rest) / (seeds * items),
                "itemDegrees": max(1.0, 2 / (max(0.0, kurtosis) / items + 2 / (items - 1))),
            }
        )
    return rows


def main():
    generator = np.random.default_rng(SEED)
    fixture = {
        "provenance": {
            "script": "scripts/make_statistics_goldens.py",
            "scipy": scipy.__version__,
            "numpy": np.__version__,
            "seed": SEED,
        },
        "quantiles": quantiles(),
        "coins": coins(),
        "shares": shares(),
        "flips": flips(generator),
        "paired": paired(generator),
        "crossed": crossed(generator),
    }
    print(json.dumps(fixture, indent=1, default=float))


if __name__ == "__main__":
    main()
