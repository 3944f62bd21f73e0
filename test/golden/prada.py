"""Expected values of PRADA: its published steps over the streams of test/prada.test.ts, with NumPy and scipy.stats.shapiro.

    .venv/bin/python test/golden/prada.py && npx biome format --write test/golden/prada.json
"""

import json
from pathlib import Path

import numpy as np
import scipy
from scipy.stats import shapiro


def generator(seed):
    """mulberry32, as in test/tools/random.ts: numbers in [0, 1)."""
    state = seed & 0xFFFFFFFF

    def following():
        nonlocal state
        state = (state + 0x6D2B79F5) & 0xFFFFFFFF
        t = ((state ^ (state >> 15)) * (state | 1)) & 0xFFFFFFFF
        t ^= (t + (((t ^ (t >> 7)) * (t | 61)) & 0xFFFFFFFF)) & 0xFFFFFFFF
        return ((t ^ (t >> 14)) & 0xFFFFFFFF) / 2**32

    return following


def normal(following):
    total = -6.0
    for _ in range(12):
        total += following()
    return total


def stream(seed, count, step):
    """Natural points (step 0), or each a small step from an earlier one; of three classes."""
    following = generator(seed)
    seen = []
    for i in range(count):
        fresh = [normal(following) for _ in range(6)]
        at = int(following() * len(seen)) if seen else 0
        point = fresh if step == 0 or i < 20 else [v + step * d for v, d in zip(seen[at], fresh)]
        seen.append(point)
        yield np.array(point), int(3 * following())


def prada(points):
    grown, added, limit, distances = {}, {}, {}, {}
    order = []
    for count, (x, c) in enumerate(points, 1):
        if c not in grown:
            grown[c], added[c], limit[c], distances[c] = [x], [0.0], 0.0, []
        else:
            d = min(float(np.sqrt(((x - g) ** 2).sum())) for g in grown[c])
            distances[c].append(d)
            order.append((c, d))
            if d > limit[c]:
                grown[c].append(x)
                added[c].append(d)
                limit[c] = max(limit[c], float(np.mean(added[c]) - np.std(added[c])))
        if count % 10 != 0:
            continue
        sample = np.array([d for c, d in order if len(distances[c]) >= 10])
        if len(sample) == 0:
            continue
        sample = sample[np.abs(sample - sample.mean()) < 3 * sample.std()]
        if len(sample) > 100:
            w = float(shapiro(sample).statistic)
            yield {"query": count, "w": w, "tested": len(sample), "points": sum(map(len, grown.values()))}


if __name__ == "__main__":
    cases = [
        {"seed": seed, "count": 600, "step": step, "tests": list(prada(stream(seed, 600, step)))}
        for seed, step in [(1, 0), (2, 0), (3, 0.05), (4, 0.3)]
    ]
    made = {"versions": {"scipy": scipy.__version__, "numpy": np.__version__}, "cases": cases}
    Path(__file__).with_suffix(".json").write_text(json.dumps(made))
    for case in cases:
        print(case["step"], [round(t["w"], 3) for t in case["tests"]][::10])
