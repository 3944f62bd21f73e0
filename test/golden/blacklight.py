"""Blacklight's fingerprints by the published algorithm, with NumPy and hashlib.

    python3 -m venv .venv && .venv/bin/pip install numpy==2.4.6
    .venv/bin/python test/golden/blacklight.py && npx biome format --write test/golden/blacklight.json

Written from the paper (Li et al., USENIX Security 2022, section 4) and its parameters. Pictures and salts are made by a
recipe instead of being stored: test/contentFingerprint.test.ts follows the same one, to the bit.
"""

import hashlib
import json
import pathlib
import platform

import numpy as np


def mulberry32(seed):
    state = seed & 0xFFFFFFFF
    while True:
        state = (state + 0x6D2B79F5) & 0xFFFFFFFF
        t = ((state ^ (state >> 15)) * (state | 1)) & 0xFFFFFFFF
        t = (t ^ (t + ((t ^ (t >> 7)) * (t | 61)))) & 0xFFFFFFFF
        yield ((t ^ (t >> 14)) & 0xFFFFFFFF) / 2**32


def picture(kind, height, width, channels, uniform):
    count = height * width * channels
    if kind == "noise":
        values = [int(256 * next(uniform)) for _ in range(count)]
    elif kind == "flat":
        values = [int(256 * next(uniform))] * count
    else:  # a ramp with some noise on it
        values = [min(255, 7 * (i // channels) % 256 + int(4 * next(uniform))) for i in range(count)]
    return np.array(values, dtype=np.uint8).reshape(height, width, channels)


def fingerprint(image, salt, window, stride, quantum, kept):
    x = image.astype(np.float64) / 255.0  # what a model is given
    levels = np.around(((x * 255.0 + salt) % 255.0).reshape(-1) / quantum) * quantum
    levels = levels.astype(np.int16)
    windows = (len(levels) - window + 1) // stride
    digests = {hashlib.sha256(levels[i * stride : i * stride + window].tobytes()).hexdigest() for i in range(windows)}
    return sorted((digest[::-1] for digest in digests), reverse=True)[:kept], windows


CASES = [
    # kind, height, width, channels, window, stride, quantum, kept
    *[("noise", 32, 32, 3, 20, 1, 50, 50)] * 6,
    *[("ramp", 32, 32, 3, 20, 1, 50, 50)] * 6,
    *[("flat", 32, 32, 3, 20, 1, 50, 50)] * 2,
    *[("ramp", 28, 28, 1, 50, 1, 50, 50)] * 4,
    *[("noise", 64, 80, 3, 50, 25, 50, 50)] * 4,
    ("ramp", 5, 7, 3, 20, 3, 50, 50),
    ("noise", 4, 9, 1, 6, 7, 30, 10),
    ("flat", 3, 4, 3, 5, 1, 100, 5),
    ("noise", 16, 16, 3, 20, 1, 12.5, 50),
]


def cases():
    for index, (kind, height, width, channels, window, stride, quantum, kept) in enumerate(CASES):
        uniform = mulberry32(1000 + index)
        image = picture(kind, height, width, channels, uniform)
        salt = np.array([255 * next(uniform) for _ in range(image.size)]).reshape(image.shape)
        hashes, windows = fingerprint(image, salt, window, stride, quantum, kept)
        yield {
            "kind": kind, "height": height, "width": width, "channels": channels, "seed": 1000 + index,
            "window": window, "stride": stride, "quantum": quantum, "kept": kept,
            "windows": windows, "count": len(hashes), "largest": hashes[0], "smallest": hashes[-1],
            "all": hashlib.sha256("\n".join(hashes).encode()).hexdigest(),
        }  # fmt: skip


versions = {"python": platform.python_version(), "numpy": np.__version__}
out = pathlib.Path(__file__).with_suffix(".json")
out.write_text(json.dumps({"versions": versions, "cases": list(cases())}, indent=2) + "\n")
