"""Expected values for the statistics of the core, from SciPy, NumPy and Python's exact numbers.

    python3 -m venv .venv && .venv/bin/pip install scipy==1.17.1 numpy==2.4.6
    .venv/bin/python test/golden/stats.py && npx biome format --write test/golden/stats.json

Samples are made by a recipe instead of being stored: test/tools/samples.ts follows the same one, to the bit.
"""

import json
import platform
from decimal import Decimal, getcontext
from fractions import Fraction
from math import comb, fsum
from pathlib import Path

import numpy as np
import scipy
from scipy import special, stats
from scipy.spatial.distance import cdist, pdist

getcontext().prec = 60


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


KINDS = {
    "uniform": lambda u: u(),
    "normal": normal,
    "ties": lambda u: float(int(10 * u())),
    "heavy": lambda u: 1 / (u() + 2**-32),
    "near": lambda u: 1 + u() * 2**-40,
    "far": lambda u: 1e9 + normal(u),
    "small": lambda u: 1e-30 * normal(u),
    "skewed": lambda u: (lambda v: v * v * v * v)(u()),
}


def sample(spec):
    if isinstance(spec, list):
        return [float(v) for v in spec]
    following = generator(spec["seed"])
    return [KINDS[spec["kind"]](following) for _ in range(spec["n"])]


def vectors(spec):
    following = generator(spec["seed"])
    return np.array(
        [[normal(following) + spec["shift"] for _ in range(spec["dimension"])] for _ in range(spec["count"])]
    )


def recipe(kind, n, seed):
    return {"kind": kind, "n": n, "seed": seed}


# Rank correlation --------------------------------------------------------------------------------------------------

def kendall():
    pairs = [
        ([1, 2], [1, 2]), ([1, 2], [2, 1]), ([1, 1], [1, 2]), ([1, 1], [3, 3]), ([1, 2, 3], [1, 3, 2]),
        ([1, 1, 2, 2], [1, 2, 1, 2]), ([1, 2, 3, 4, 5], [5, 5, 5, 5, 4]), ([3, 1, 2, 2, 0], [0, 2, 2, 1, 3]),
        ([0, -0.0, 1], [1, 2, 3]), ([1e308, -1e308, 0], [1, 2, 3]), ([5e-324, 0, -5e-324], [1, 2, 3]),
    ]
    kinds = ["uniform", "ties", "normal", "near", "heavy"]
    for i, n in enumerate([3, 4, 5, 7, 10, 16, 17, 50, 100, 333, 1000, 4096]):
        for j, kind in enumerate(kinds):
            pairs.append((recipe(kind, n, 100 + 10 * i + j), recipe(kinds[(i + j) % 5], n, 900 + 10 * i + j)))
    pairs.append((recipe("uniform", 100_000, 7), recipe("ties", 100_000, 8)))
    pairs.append((recipe("normal", 200_000, 9), recipe("normal", 200_000, 10)))
    cases = []
    for x, y in pairs:
        tau = float(stats.kendalltau(sample(x), sample(y)).statistic)
        cases.append({"x": x, "y": y, "tau": 0 if np.isnan(tau) else tau})  # not a number where a list is constant
    return cases


# Shapiro and Wilk --------------------------------------------------------------------------------------------------

def royston(x):
    """W and its p-value by the formulas of Royston 1992 and 1995, with normal quantiles to full precision."""
    x = np.sort(np.asarray(x, dtype=float))
    n = len(x)
    if n == 3:
        a = np.array([-np.sqrt(0.5), 0, np.sqrt(0.5)])
    else:
        m = special.ndtri((np.arange(1, n + 1) - 0.375) / (n + 0.25))
        mm = float(m @ m)
        u = 1 / np.sqrt(n)
        last = np.polyval([-2.706056, 4.434685, -2.071190, -0.147981, 0.221157, m[-1] / np.sqrt(mm)], u)
        if n > 5:
            following = np.polyval([-3.582633, 5.682633, -1.752461, -0.293762, 0.042981, m[-2] / np.sqrt(mm)], u)
            phi = (mm - 2 * m[-1] ** 2 - 2 * m[-2] ** 2) / (1 - 2 * last**2 - 2 * following**2)
            a = m / np.sqrt(phi)
            a[[0, 1, -2, -1]] = [-last, -following, following, last]
        else:
            phi = (mm - 2 * m[-1] ** 2) / (1 - 2 * last**2)
            a = m / np.sqrt(phi)
            a[[0, -1]] = [-last, last]
    middle = x[n // 2]
    z = [(v - middle) / (x[-1] - x[0]) for v in x]
    mean = fsum(z) / n
    top = fsum(ai * zi for ai, zi in zip(a, z))
    w = top**2 / fsum(ai * ai for ai in a) / fsum((zi - mean) ** 2 for zi in z)
    return w, royston_p(w, n)


def royston_p(w, n):
    if n == 3:
        return max(0, 1 - 6 / np.pi * np.arccos(np.sqrt(w)))
    y = np.log1p(-w)
    if n > 11:
        u = np.log(n)
        mean = np.polyval([0.0038915, -0.083751, -0.31082, -1.5861], u)
        return special.ndtr((mean - y) / np.exp(np.polyval([0.0030302, -0.082676, -0.4803], u)))
    end = 0.459 * n - 2.273
    if y >= end:
        return 0
    mean = np.polyval([-6.714e-4, 0.025054, -0.39978, 0.544], n)
    return special.ndtr((mean + np.log(end - y)) / np.exp(np.polyval([-0.0020322, 0.062767, -0.77857, 1.3822], n)))


def shapiro():
    samples = [
        [1, 2, 4], [1, 2, 3], [1, 1, 2], [0, 0, 1e-9], [-1e9, 0, 1], [1, 2, 3, 7], [1, 1, 1, 2], [1, 2, 3, 7, 8],
        [1, 2, 3, 7, 8, 30], [0] * 10 + [1], [0] * 11 + [1], [148, 154, 158, 160, 161, 162, 166, 170, 182, 195, 236],
        [0] * 99 + [1], list(range(11)), list(range(12)), list(range(100)),
    ]
    kinds = ["normal", "uniform", "ties", "heavy", "skewed", "far"]
    for i, n in enumerate([3, 4, 5, 6, 7, 10, 11, 12, 13, 20, 49, 50, 100, 101, 500, 1000, 4999, 5000]):
        for j, kind in enumerate(kinds):
            samples.append(recipe(kind, n, 3000 + 10 * i + j))
    cases = []
    for x in samples:
        values = sample(x)
        if min(values) == max(values):
            continue
        w, p = stats.shapiro(values)
        exact_w, exact_p = royston(values)
        cases.append({"x": x, "w": float(w), "pValue": float(p), "wExact": float(exact_w), "pExact": float(exact_p)})
    return cases


# Grubbs ------------------------------------------------------------------------------------------------------------

def grubbs():
    samples = [
        [1, 2, 3], [1, 1, 2], [1, 2, 3, 4, 5, 20], [0] * 50 + [1], [199.31, 199.53, 200.19, 200.82, 201.92, 201.95, 202.18, 245.57],
        [1 + 2**-40, 1, 1, 1, 1, 1 - 2**-50], [-1, -2, -3, -50],
    ]
    kinds = ["normal", "uniform", "ties", "heavy", "near", "far", "small", "skewed"]
    for i, n in enumerate([3, 4, 5, 10, 100, 1000, 10_000]):
        for j, kind in enumerate(kinds):
            samples.append(recipe(kind, n, 5000 + 10 * i + j))
    cases = []
    for i, x in enumerate(samples):
        values = sample(x)
        n = len(values)
        alpha = [0.05, 0.01, 0.5, 1e-6, 1e-12, 0.99][i % 6]
        exact = [Fraction(v) for v in values]
        mean = sum(exact) / n
        square = (max(exact) - mean) ** 2 * (n - 1) / sum((v - mean) ** 2 for v in exact)
        t = Decimal(float(stats.t.isf(alpha / n, n - 2)))
        critical = (n - 1) / Decimal(n).sqrt() * (t * t / (n - 2 + t * t)).sqrt()
        g = (Decimal(square.numerator) / Decimal(square.denominator)).sqrt()
        cases.append({"x": x, "alpha": alpha, "g": float(g), "critical": float(critical)})
    return cases


# Clopper and Pearson -----------------------------------------------------------------------------------------------

def exact_beta(p, a, b):
    """
    The x at which P(X ≤ x) = p for X ~ Beta(a, b), and its complement, for whole a up to a few thousand: Newton's method
    on a binomial sum in 60 digits. SciPy's own value, from which it starts, is off by up to 4e-9 for a ≪ b.
    """
    p, n = Decimal(p), a + b - 1
    x = Decimal(float(special.betaincinv(a, b, float(p))))
    getcontext().prec = 60 if p > 1e-20 else 320
    for _ in range(12):
        term, below = (1 - x) ** n, Decimal(0)
        for i in range(a):
            below += term
            term = term * (n - i) / (i + 1) * x / (1 - x)
        above = 1 - below
        x -= (above / p).ln() * above / (term * a / x)  # in logarithms, where the function is almost straight
    x, y = float(x), float(1 - x)
    getcontext().prec = 60
    return x, y


def clopper_pearson():
    cases = []
    for n in [1, 2, 3, 5, 10, 30, 100, 200, 299, 368, 400, 1000, 10_000, 1_000_000]:
        for k in sorted({0, 1, 2, n // 10, n // 3, n // 2, n - 1, n}):
            if not 0 <= k <= n:
                continue
            for alpha in [0.05, 0.01, 0.5, 0.999, 1e-9]:
                low = 0 if k == 0 else float(stats.beta.ppf(alpha / 2, k, n - k + 1))
                high = 1 if k == n else float(stats.beta.isf(alpha / 2, k + 1, n - k))
                cases.append({"k": k, "n": n, "alpha": alpha, "low": low, "high": high})
    return cases


def clopper_pearson_exact():
    cases = []
    for n in [1000, 10**6, 10**9]:
        for k in [1, 3, 8]:
            for alpha in [0.05, 1e-6, 1e-12]:
                low, _ = exact_beta(Decimal(alpha) / 2, k, n - k + 1)
                high, _ = exact_beta(1 - Decimal(alpha) / 2, k + 1, n - k)
                cases.append({"k": k, "n": n, "alpha": alpha, "low": low, "high": high})
    return cases


# The functions below them ------------------------------------------------------------------------------------------

def normal_tail():
    return [{"z": z, "p": float(special.ndtr(-z))} for z in
            [-37, -8, -3, -2.5, -1, -1e-9, 0, 1e-9, 0.1, 0.5, 1, 1.96, 2.4999, 2.5, 3, 5, 8, 12, 20, 30, 37]]


def normal_quantile():
    ps = [1e-300, 1e-100, 1e-20, 1e-10, 1e-5, 0.001, 0.01, 0.05, 0.0749, 0.0751, 0.1, 0.25, 0.4, 0.499999, 0.5, 0.6, 0.9249,
          0.9251, 0.99, 0.999999, 1 - 2**-53]
    return [{"p": p, "z": float(special.ndtri(p))} for p in ps]


def beta_quantile():
    cases = []
    for a in [0.5, 1, 1.5, 2, 7, 50, 1000, 1e6]:
        for b in [0.5, 1, 3.5, 20, 999, 1e6]:
            for p in [1e-250, 1e-120, 1e-30, 1e-9, 0.001, 0.05, 0.3, 0.5, 0.9]:
                if a in [1, 2, 7, 50, 1000] and b == 1e6:
                    x, y = exact_beta(p, a, int(b))
                elif b in [1, 20, 999] and a == 1e6 and p > 1e-20:
                    x, y = exact_beta(1 - Decimal(p), b, int(a))[::-1]
                else:
                    x, y = float(special.betaincinv(a, b, p)), float(special.betainccinv(b, a, p))
                if min(x, y) > 1e-290:
                    cases.append({"p": p, "a": a, "b": b, "x": x, "y": y})
    return cases


# Maximum mean discrepancy ------------------------------------------------------------------------------------------

def kernel_mean(squared, widths):
    return sum(np.exp(-squared / (2 * w * w)) for w in widths) / len(widths)


def mmd():
    cases = []
    specs = [(2, 2, 1, 0), (2, 3, 2, 1), (3, 5, 7, 0.5), (20, 30, 8, 0), (20, 30, 8, 3), (64, 50, 33, 0.1), (150, 100, 64, 0.05)]
    for i, (m, n, dimension, shift) in enumerate(specs):
        x = {"count": m, "dimension": dimension, "seed": 40 + i, "shift": 0}
        y = {"count": n, "dimension": dimension, "seed": 80 + i, "shift": shift}
        a, b = vectors(x), vectors(y)
        median = float(np.sqrt(np.median(pdist(a, "sqeuclidean")))) if m > 2 else 1.0
        for widths in [[median], [0.5 * median, median, 2 * median, 4 * median], [0.01 * median], [100 * median]]:
            xx = kernel_mean(cdist(a, a, "sqeuclidean"), widths)
            yy = kernel_mean(cdist(b, b, "sqeuclidean"), widths)
            xy = kernel_mean(cdist(a, b, "sqeuclidean"), widths)
            value = (xx.sum() - np.trace(xx)) / (m * (m - 1)) + (yy.sum() - np.trace(yy)) / (n * (n - 1)) - 2 * xy.mean()
            cases.append({"x": x, "y": y, "bandwidths": widths, "mmd": float(value)})
    return cases


def median_bandwidth():
    cases = []
    for i, (count, dimension) in enumerate([(2, 1), (3, 2), (4, 3), (30, 5), (101, 16)]):
        x = {"count": count, "dimension": dimension, "seed": 120 + i, "shift": 0}
        squared = pdist(vectors(x), "sqeuclidean")
        cases.append({"x": x, "width": float(np.sqrt(np.median(squared[squared > 0])))})
    return cases


# Evidence ----------------------------------------------------------------------------------------------------------

def p_values(spec):
    return [max(v, 2.0**-32) for v in sample(spec)]


def ln_mean(values):
    return float((sum(values) / len(values)).ln())


def power_process():
    cases = []
    grid = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    for p in [[1], [0.5], [0.001], recipe("uniform", 10, 201), recipe("uniform", 1000, 202), recipe("skewed", 10, 203),
              recipe("skewed", 300, 204)]:
        for exponents in [[0.1], [0.5], grid]:
            capital = []
            for e in exponents:
                product = Decimal(1)
                for v in p_values(p):
                    product *= Decimal(e) * (Decimal(v).ln() * (Decimal(e) - 1)).exp()
                capital.append(product)
            cases.append({"p": p, "exponents": exponents, "logE": ln_mean(capital)})
    return cases


def simple_jumper():
    cases = []
    for p in [[0], [1], [0.25, 0.75], recipe("uniform", 20, 301), recipe("skewed", 20, 302), recipe("skewed", 2000, 303),
              recipe("uniform", 2000, 304)]:
        for jump in [0.01, 1, 0.3]:
            for sides, bets in [("low", [-1, 0]), ("both", [-1, 0, 1])]:
                capital = {e: Decimal(1) / len(bets) for e in bets}
                for v in sample(p):
                    total = sum(capital.values())
                    for e in bets:
                        mixed = (1 - Decimal(jump)) * capital[e] + Decimal(jump) / len(bets) * total
                        capital[e] = mixed * (1 + e * (Decimal(v) - Decimal("0.5")))
                cases.append({"p": p, "jump": jump, "sides": sides, "logE": float(sum(capital.values()).ln())})
    return cases


def e_values():
    cases = []
    for p in [5e-324, 1e-300, 1e-50, 1e-10, 0.001, 0.01, 0.3, 0.36, 0.37, 0.5, 0.9, 0.999, 1 - 2**-53]:
        d = Decimal(p)
        power = Decimal(0.2) * ((Decimal(0.2) - 1) * d.ln()).exp()
        mixture = (1 - d + d * d.ln()) / (d * d.ln() ** 2)
        cases.append({"p": p, "powerLogE": float(power.ln()), "mixtureLogE": float(mixture.ln())})
    return cases


def e_bh():
    cases = []
    for i, n in enumerate([1, 2, 5, 20, 200]):
        for kind in ["heavy", "uniform", "ties"]:
            for alpha in [0.05, 0.5]:
                spec = recipe(kind, n, 400 + i)
                e = [v * (30 if k % 3 == 0 else 0.5) for k, v in enumerate(sample(spec))]
                order = sorted(range(n), key=lambda k: -e[k])
                k_star = max((k for k in range(1, n + 1) if k * e[order[k - 1]] / n >= 1 / alpha), default=0)
                cases.append({"e": e, "alpha": alpha, "rejected": sorted(order[:k_star])})
    return cases


# Change of a mean --------------------------------------------------------------------------------------------------

def cusum():
    cases = []
    for i, (allowance, limit) in enumerate([(0.5, 4), (0.25, 8), (0, 3), (1, 0.5)]):
        spec = recipe("normal", 500, 500 + i)
        total, sums = Fraction(0), []
        for v in sample(spec):
            total = max(Fraction(0), total + Fraction(v) - Fraction(allowance))
            sums.append(total)
        alarms = [k for k, s in enumerate(sums) if s > limit]
        cases.append({"z": spec, "allowance": allowance, "limit": limit, "last": float(sums[-1]), "alarms": alarms})
    return cases


def cusum_run_length():
    cases = []
    for allowance in [0, 1e-9, 0.01, 0.25, 0.5, 1]:
        for limit in [0.1, 4, 5, 8, 12, 50]:
            k, b = Decimal(allowance), Decimal(limit) + Decimal("1.166")
            v = 2 * k * b
            length = b * b if allowance == 0 else (v.exp() - v - 1) / (2 * k * k)
            cases.append({"allowance": allowance, "limit": limit, "length": float(length)})
    return cases


def adwin(values, delta, clock):
    """By the paper, with the values themselves in every bucket: rows of lists, the newest row first."""
    rows, drifts, since = [[]], [], 0
    for i, value in enumerate(values):
        rows[0].append([value])
        for r in range(len(rows)):
            if len(rows[r]) > 5:
                if r + 1 == len(rows):
                    rows.append([])
                rows[r + 1].append(rows[r].pop(0) + rows[r].pop(0))
        since += 1
        if since < clock:
            continue
        since, found = 0, False
        while cut(rows, delta):
            while not rows[-1]:
                rows.pop()
            rows[-1].pop(0)
            found = True
        if found:
            drifts.append(i)
    window = [v for row in reversed(rows) for bucket in row for v in bucket]
    return drifts, len(window), fsum(window) / len(window)


def cut(rows, delta):
    buckets = [bucket for row in reversed(rows) for bucket in row]
    window = np.array([v for bucket in buckets for v in bucket])
    n, at = len(window), 0
    if n < 10:
        return False
    level = np.log(2 * np.log(n) / delta)
    variance = window.var()
    for bucket in buckets:
        at += len(bucket)
        if at < 5 or n - at < 5:
            continue
        rate = 1 / (at - 4) + 1 / (n - at - 4)
        bound = np.sqrt(2 * rate * variance * level) + 2 / 3 * rate * level
        if abs(window[:at].mean() - window[at:].mean()) > bound:
            return True
    return False


def adwin_cases():
    cases = []
    for i, (parts, delta, clock) in enumerate([
        ([("uniform", 3000, 1, 0)], 0.002, 32),
        ([("uniform", 1000, 0.5, 0), ("uniform", 1000, 0.5, 0.5)], 0.002, 32),
        ([("uniform", 700, 1, 0), ("skewed", 900, 1, 0), ("uniform", 500, 0.2, 0.8)], 0.002, 32),
        ([("ties", 500, 0.1, 0), ("uniform", 300, 0.1, 0), ("ties", 700, 0.1, 0)], 0.05, 1),
        ([("skewed", 1500, 0.2, 0), ("skewed", 1500, 0.3, 0.1)], 0.3, 7),
        ([("ties", 200, 0, 0), ("ties", 200, 0, 1)], 0.002, 32),
    ]):
        specs = [{"sample": recipe(kind, n, 600 + 10 * i + j), "scale": scale, "offset": offset}
                 for j, (kind, n, scale, offset) in enumerate(parts)]
        values = [v * s["scale"] + s["offset"] for s in specs for v in sample(s["sample"])]
        drifts, size, mean = adwin(values, delta, clock)
        cases.append({"parts": specs, "delta": delta, "clock": clock, "drifts": drifts, "size": size, "mean": mean})
    return cases


# Ranks -------------------------------------------------------------------------------------------------------------

def conformal():
    cases = []
    for scores in [[1], [1, 1, 1], recipe("ties", 20, 701), recipe("normal", 999, 702), recipe("heavy", 5000, 703)]:
        values = np.array(sample(scores))
        for score in [-10.0, 0.0, 1.0, float(np.median(values)), float(values.max()), float(values.max()) + 1]:
            above, equal = int((values > score).sum()), int((values == score).sum())
            cases.append({"scores": scores, "score": score, "pValue": (1 + above + equal) / (len(values) + 1),
                          "smoothed": (above + 0.25 * (1 + equal)) / (len(values) + 1)})
    return cases


def quantiles():
    cases = []
    for x in [[5], [2, 1], recipe("ties", 50, 801), recipe("normal", 511, 802), recipe("heavy", 512, 803)]:
        for share in [0, 0.001, 0.1, 0.25, 1 / 3, 0.5, 0.9, 0.999, 1]:
            value = float(np.quantile(sample(x), share, method="inverted_cdf"))
            cases.append({"x": x, "share": share, "value": value})
    return cases


GOLDEN = {
    "versions": {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__},
    "kendall": kendall(),
    "shapiro": shapiro(),
    "grubbs": grubbs(),
    "clopperPearson": clopper_pearson(),
    "clopperPearsonExact": clopper_pearson_exact(),
    "normalTail": normal_tail(),
    "normalQuantile": normal_quantile(),
    "betaQuantile": beta_quantile(),
    "mmd": mmd(),
    "medianBandwidth": median_bandwidth(),
    "powerProcess": power_process(),
    "simpleJumper": simple_jumper(),
    "eValues": e_values(),
    "eBenjaminiHochberg": e_bh(),
    "cusum": cusum(),
    "cusumRunLength": cusum_run_length(),
    "adwin": adwin_cases(),
    "conformal": conformal(),
    "quantiles": quantiles(),
}

Path(__file__).with_suffix(".json").write_text(json.dumps(GOLDEN, allow_nan=False) + "\n")
