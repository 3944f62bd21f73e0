"""Distances of histograms, from SciPy.

    .venv/bin/python test/golden/hardness.py && npx biome format --write test/golden/hardness.json
"""

import json
from pathlib import Path

import numpy as np
import scipy
from scipy.spatial.distance import jensenshannon
from scipy.stats import pearsonr

rng = np.random.default_rng(6)
cases = []
for bins in [2, 3, 10, 11, 64]:
    for size in [5, 100, 4000]:
        a = rng.multinomial(40_000, rng.dirichlet(np.ones(bins)))
        b = rng.multinomial(size, rng.dirichlet(np.ones(bins)))
        cases.append(
            {
                "a": a.tolist(),
                "b": b.tolist(),
                "pearson": 1 - float(pearsonr(a / a.sum(), b / b.sum()).statistic),
                "jensen_shannon": float(jensenshannon(a, b, base=2)) ** 2,
            }
        )
made = {"versions": {"scipy": scipy.__version__, "numpy": np.__version__}, "cases": cases}
Path(__file__).with_suffix(".json").write_text(json.dumps(made))
