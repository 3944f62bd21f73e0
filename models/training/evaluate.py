"""The benchmark on the dev half, for choosing between runs.

    node models/training/dump.mjs .cache/dev                                        once
    python models/training/evaluate.py models/copy-net.onnx --data .cache/dev       prints the table, --all each line

    evaluate(embed, folder) -> {set: figures}    embed: float32 [n, 3, 64, 64] -> float [n, D], unit length

One threshold per data set: the 99.9th (99.99th) percentile over all original-against-transformed-other pairs of the plain
transformations (25 and the mirror); the rates of the hard set and of the rest use the same threshold.
"""
import argparse
import json
import os

import numpy as np

SHARES = (0.001, 0.0001)


def load_set(folder, name):
    """Originals first: uint8 [count, 1 + transformations, side, side, 3], and the transformations."""
    with open(os.path.join(folder, f'{name}.json')) as file:
        about = json.load(file)
    side, transforms = about['side'], about['transforms']
    data = np.fromfile(os.path.join(folder, f'{name}.u8'), np.uint8)
    return data.reshape(about['count'], 1 + len(transforms), side, side, 3), transforms


def enlarge_matrix(side, to=64):
    """[to, side]: linear interpolation as thumbnail() does it when it enlarges."""
    place = (np.arange(to) + 0.5) * side / to - 0.5
    weight = np.maximum(0, 1 - np.abs(place[:, None] - np.arange(side)))
    return (weight / weight.sum(1, keepdims=True)).astype(np.float32)


def to_planes(data):
    """float32 [n, 3, 64, 64] of uint8 [n, side, side, 3]."""
    planes = np.ascontiguousarray(data.transpose(0, 3, 1, 2), np.float32)
    if planes.shape[-1] == 64:
        return planes
    matrix = enlarge_matrix(planes.shape[-1])
    return (matrix @ planes @ matrix.T).astype(np.float32)


def embed_set(embed, data, step=512):
    flat = data.reshape((-1,) + data.shape[2:])
    out = np.concatenate([np.asarray(embed(to_planes(flat[i:i + step])), np.float32) for i in range(0, len(flat), step)])
    return out.reshape(data.shape[0], data.shape[1], -1)


def figures(vectors, transforms):
    """Per share of false positives: the threshold, the rate per transformation, the mean per group."""
    originals = vectors[:, 0]
    likeness = np.einsum('id,jtd->tij', originals, vectors[:, 1:])
    count = len(originals)
    other = ~np.eye(count, dtype=bool)
    groups = np.array([one['group'] for one in transforms])
    unrelated = likeness[np.isin(groups, ['plain', 'mirror'])][:, other].ravel()
    related = likeness[:, ~other]
    result = {}
    for share in SHARES:
        allowed = int(share * unrelated.size)
        threshold = np.partition(unrelated, unrelated.size - 1 - allowed)[unrelated.size - 1 - allowed]
        rate = (related > threshold).mean(1)
        means = {group: float(rate[groups == group].mean()) for group in dict.fromkeys(groups)}
        result[share] = {'threshold': float(threshold), 'rate': rate, 'means': means}
    return result


def evaluate(embed, folder, names=('photos', 'CIFAR')):
    results = {}
    for name in names:
        data, transforms = load_set(folder, name.split('+')[0])
        if name.endswith('+more'):
            data = np.concatenate([data, load_set(folder, f'{name.split("+")[0]}-more')[0]])
        results[name] = (figures(embed_set(embed, data), transforms), transforms)
    return results


def summary(results):
    lines = []
    for name, (result, _) in results.items():
        a, b = (result[share] for share in SHARES)
        lines.append(f'{name:11s} plain {a["means"]["plain"]:.4f} {b["means"]["plain"]:.4f}  hard {a["means"]["hard"]:.3f} {b["means"]["hard"]:.3f}'
                     f'  more {a["means"]["more"]:.3f}  mirror {a["means"]["mirror"]:.2f}  thresholds {a["threshold"]:.3f} {b["threshold"]:.3f}')
    return '\n'.join(lines)


def details(results):
    lines = []
    for name, (result, transforms) in results.items():
        for t, one in enumerate(transforms):
            rates = '  '.join(f'{result[share]["rate"][t]:.3f}' for share in SHARES)
            lines.append(f'{name:11s} {one["group"]:6s} {one["name"]:24s} {rates}')
    return '\n'.join(lines)


def onnx_embedder(path):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    session = onnxruntime.InferenceSession(path, options, providers=['CPUExecutionProvider'])
    name = session.get_inputs()[0].name
    return lambda planes: session.run(None, {name: planes})[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('model')
    parser.add_argument('--data', required=True, help='folder that dump.mjs wrote')
    parser.add_argument('--sets', default='photos,CIFAR,CIFAR+more')
    parser.add_argument('--all', action='store_true', help='each transformation')
    options = parser.parse_args()
    results = evaluate(onnx_embedder(options.model), options.data, options.sets.split(','))
    print(summary(results))
    if options.all:
        print(details(results))


if __name__ == '__main__':
    main()
