"""Fits the descriptor's projection and writes src/core/pictures/weights.ts.

    python models/training/descriptor.py --seed 1

Fisher's linear discriminant in closed form: the directions in which different pictures differ most, compared with two
views of one picture. The features are those of the library itself, see features.mjs. No photos enter.
"""
import argparse
import os
import pathlib
import subprocess
import threading
import time

import numpy as np
import torch

import views
from pool import load_pool

HERE = pathlib.Path(__file__).resolve().parent
OUT = HERE.parent.parent / 'src' / 'core' / 'pictures' / 'weights.ts'
CODES = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
TOP = 31  # weights are whole numbers from -31 to 31, code 31 is zero


def features_of(pictures, count):
    """float32 [n, count] of uint8 [n, 64, 64, 3]."""
    with subprocess.Popen(['node', str(HERE / 'features.mjs')], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as node:
        def feed():
            node.stdin.write(np.ascontiguousarray(pictures).tobytes())
            node.stdin.close()
        feeder = threading.Thread(target=feed)
        feeder.start()
        made = np.frombuffer(node.stdout.read(), np.float32).reshape(-1, count)
        feeder.join()
    assert node.wait() == 0 and len(made) == len(pictures)
    return made


def scatters(pictures, pairs, generator, count, batch=1000):
    """Means and products, summed batch by batch: the scatter within pairs, that between pictures, and the mean."""
    within, total, mean, n = np.zeros((count, count)), np.zeros((count, count)), np.zeros(count), 0
    start = time.time()
    for _ in range(-(-pairs // batch)):
        both = torch.cat(views.batch(pictures, batch, generator)).permute(0, 2, 3, 1).clamp(0, 255).byte().numpy()
        x = features_of(both, count).astype(np.float64)
        clean, changed = x[:batch], x[batch:]
        within += (clean - changed).T @ (clean - changed) / 2
        total += clean.T @ clean
        mean += clean.sum(0)
        n += batch
        print(f'\r{n} pairs, {time.time() - start:.0f} s', end='', flush=True)
    print()
    mean /= n
    return within / n, total / n - np.outer(mean, mean), mean


def fisher(within, total, outputs, ridge):
    """[features, outputs]: the generalised eigenvectors of the largest eigenvalues; each has unit scatter within."""
    within = within + ridge * np.trace(within) / len(within) * np.eye(len(within))
    root = np.linalg.cholesky(within)
    half = np.linalg.solve(root, total)
    white = np.linalg.solve(root, half.T)
    values, vectors = np.linalg.eigh((white + white.T) / 2)
    print('largest, middle and smallest ratio kept:', *(f'{values[i]:.2f}' for i in (-1, -outputs // 2, -outputs)))
    kept = np.linalg.solve(root.T, vectors[:, ::-1][:, :outputs])
    return kept * np.sign(kept[np.abs(kept).argmax(0), range(outputs)])  # an eigenvector's sign is anybody's choice


def rounded(projection):
    """Whole weights [features, outputs] and the scale of each output, by least squares over the clipping point."""
    peak = np.abs(projection).max(0)
    best = np.full(projection.shape[1], np.inf)
    scales = np.zeros(projection.shape[1])
    for share in np.linspace(0.4, 1, 25):
        scale = peak * share / TOP
        error = ((np.clip(np.rint(projection / scale), -TOP, TOP) * scale - projection) ** 2).sum(0)
        scales = np.where(error < best, scale, scales)
        best = np.minimum(best, error)
    whole = np.clip(np.rint(projection / scales), -TOP, TOP).astype(int)
    print(f'rounding: {np.sqrt(best.sum() / (projection ** 2).sum()):.4f} of the length of the weights')
    return whole, scales


def write(whole, scales, mean, unrelated, command):
    """The generated file. One character a weight, output by output."""
    scale = [float(f'{s:.6g}') for s in scales / np.max(scales)]
    offsets = [float(f'{o:.6g}') for o in (mean @ whole) * scale]
    text = ''.join(CODES[w + TOP] for w in whole.T.ravel())
    join = lambda numbers: ', '.join(repr(n) for n in numbers)
    OUT.write_text(
        f'// Made by `{command}`; see models/descriptor.md. Not to be edited.\n'
        '// biome-ignore-all format: generated\n\n'
        '/** One character a weight, output by output: its place in the alphabet of base64 less 31. */\n'
        f"export const WEIGHTS = '{text}'\n\n"
        '/** What the sum of each output is multiplied by, */\n'
        f'export const SCALES = [{join(scale)}]\n\n'
        '/** and what is then taken off: the mean over the pictures of the training. */\n'
        f'export const OFFSETS = [{join(offsets)}]\n\n'
        '/** The cosine, before the lift, that one in ten thousand unrelated pairs of photos reaches, with a margin. */\n'
        f'export const UNRELATED = {unrelated}\n'
    )
    print(OUT, f'{OUT.stat().st_size} bytes')


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--pool', default=str(HERE / '.cache' / 'pool.npy'))
    parser.add_argument('--pictures', type=int, default=24000)
    parser.add_argument('--pairs', type=int, default=40000)
    parser.add_argument('--features', type=int, default=944)
    parser.add_argument('--outputs', type=int, default=185)
    parser.add_argument('--ridge', type=float, default=0.05, help='share of the mean scatter within, added to each')
    parser.add_argument('--unrelated', type=float, default=0.53, help='see UNRELATED in the file that is written')
    options = parser.parse_args()
    os.makedirs(os.path.dirname(options.pool), exist_ok=True)
    pictures = views.load_pictures(load_pool(options.pool, options.pictures, options.seed))
    generator = torch.Generator().manual_seed(options.seed)
    within, total, mean = scatters(pictures, options.pairs, generator, options.features)
    np.savez(pathlib.Path(options.pool).parent / 'descriptor-scatters.npz', within=within, total=total, mean=mean)
    whole, scales = rounded(fisher(within, total, options.outputs, options.ridge))
    write(whole, scales, mean, options.unrelated, f'python models/training/descriptor.py --seed {options.seed}')


if __name__ == '__main__':
    main()
