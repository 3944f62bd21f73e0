"""What the Python toolkit does with a query, restated for bench/python.mjs: JSON lines in, JSON lines out.

A search compares the query with every remembered vector in a loop, both copied to doubles and both norms computed anew for each
pair, then takes the largest. `matrix` is what numpy can do at best: one product of a matrix and a vector in 32-bit floats, norms known.
Times are CPU of this process.
"""

import importlib
import json
import sys
import time
from collections import deque


def version(name):
    try:
        module = importlib.import_module(name)
    except ImportError:
        return None
    return getattr(module, "__version__", "?")


def cosine(a, b):
    a = np.asarray(a, dtype=np.float64)
    b = np.asarray(b, dtype=np.float64)
    norms = np.linalg.norm(a) * np.linalg.norm(b)
    return float(np.dot(a, b) / norms) if norms > 0 else 0.0


def loop(query, state):
    likeness = [cosine(query, one) for one in state["history"]]
    return likeness.index(max(likeness))


def matrix(query, state):
    return int(np.argmax(state["rows"] @ query / state["norms"]))


def hashed(image):
    """`imagehash.phash`, or what it does in Pillow and SciPy."""
    if imagehash is not None:
        return str(imagehash.phash(image))
    grey = np.asarray(image.convert("L").resize((32, 32), Image.Resampling.LANCZOS))
    low = dct(dct(grey, axis=0), axis=1)[:8, :8]
    bits = low > np.median(low)
    return "".join(f"{int(''.join(str(int(bit)) for bit in row), 2):02x}" for row in bits)


def open_window(width, rows, queries):
    rows = np.fromfile(rows, dtype=np.float32).reshape(-1, width)
    history = deque((row.copy() for row in rows), maxlen=len(rows))
    norms = np.linalg.norm(rows, axis=1)
    return {"rows": rows, "norms": norms, "history": history, "queries": np.fromfile(queries, dtype=np.float32).reshape(-1, width), "at": 0}


def time_search(state, way, calls):
    search = {"loop": loop, "matrix": matrix}[way]
    queries = state["queries"]
    found = []
    start = time.process_time()
    for _ in range(calls):
        found.append(search(queries[state["at"] % len(queries)], state))
        state["at"] += 1
    return {"seconds": time.process_time() - start, "found": found}


def time_hash(image, calls):
    start = time.process_time()
    for _ in range(calls):
        found = hashed(image)
    return {"seconds": time.process_time() - start, "found": found}


names = ["numpy", "PIL", "scipy", "imagehash"]
versions = {name: version(name) for name in names}
print(json.dumps({"python": sys.version.split()[0], "versions": versions}), flush=True)
if versions["numpy"] is not None:
    import numpy as np
if versions["PIL"] is not None:
    from PIL import Image
imagehash = importlib.import_module("imagehash") if versions["imagehash"] is not None else None
if versions["scipy"] is not None:
    from scipy.fftpack import dct

state = None
image = None
for line in sys.stdin:
    asked = json.loads(line)
    answer = {}
    if asked["do"] == "window":
        state = open_window(asked["width"], asked["rows"], asked["queries"])
    elif asked["do"] == "rewind":
        state["at"] = 0
    elif asked["do"] == "search":
        answer = time_search(state, asked["way"], asked["calls"])
    elif asked["do"] == "picture":
        with open(asked["file"], "rb") as file:
            image = Image.frombytes("RGB", (asked["width"], asked["height"]), file.read())
    elif asked["do"] == "hash":
        answer = time_hash(image, asked["calls"])
    print(json.dumps(answer), flush=True)
