"""Trains the demo's digit classifier and writes models/digits.onnx. Needs numpy alone.

    node models/training/digits_dump.mjs .cache/digits.bin 20000 1
    python models/training/train_digits.py --drawn .cache/digits.bin --mnist DIR --seed 1

DIR holds t10k-images-0-1000.idx3-ubyte and its labels: the first 800 digits are learned from, the last 200 are judged on. The
drawn digits come from demo/story/drawnDigits.ts; the last tenth of them is judged on. Both are slanted, turned and moved
anew at every sight. Weights are rounded to 16 bits before the judgement, and that is what the file holds.
"""
import argparse
import os

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
SHAPES = {
    'conv1.weight': (8, 1, 5, 5), 'conv1.bias': (8,), 'conv2.weight': (16, 8, 5, 5), 'conv2.bias': (16,),
    'hidden.weight': (48, 784), 'hidden.bias': (48,), 'out.weight': (10, 48), 'out.bias': (10,),
}


# --- network: two convolutions of 5 x 5 by 2, then two layers, all with hand-written slopes ---------------------------

def begin(random):
    def make(name, shape):
        if name.endswith('bias'):
            return np.zeros(shape, np.float32)
        return (random.standard_normal(shape) * np.sqrt(2 / np.prod(shape[1:]))).astype(np.float32)
    return {name: make(name, shape) for name, shape in SHAPES.items()}


def columns(x):
    """All windows of 5 x 5, by 2, with a border of 2: [pictures, places, channels * 25]."""
    n, channels, side, _ = x.shape
    padded = np.pad(x, ((0, 0), (0, 0), (2, 2), (2, 2)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (5, 5), axis=(2, 3))[:, :, ::2, ::2]
    return windows.transpose(0, 2, 3, 1, 4, 5).reshape(n, (side // 2) ** 2, channels * 25)


def uncolumns(slope, shape):
    """The slope of the pictures from that of their windows."""
    n, channels, side, _ = shape
    half = side // 2
    padded = np.zeros((n, channels, side + 4, side + 4), np.float32)
    windows = slope.reshape(n, half, half, channels, 5, 5)
    for i in range(5):
        for j in range(5):
            padded[:, :, i:i + side:2, j:j + side:2] += windows[..., i, j].transpose(0, 3, 1, 2)
    return padded[:, :, 2:-2, 2:-2]


def forward(w, x):
    n = len(x)
    c1 = columns(x)
    h1 = np.maximum(c1 @ w['conv1.weight'].reshape(8, 25).T + w['conv1.bias'], 0)
    p1 = h1.transpose(0, 2, 1).reshape(n, 8, 14, 14)
    c2 = columns(p1)
    h2 = np.maximum(c2 @ w['conv2.weight'].reshape(16, 200).T + w['conv2.bias'], 0)
    flat = h2.transpose(0, 2, 1).reshape(n, 784)
    h3 = np.maximum(flat @ w['hidden.weight'].T + w['hidden.bias'], 0)
    return h3 @ w['out.weight'].T + w['out.bias'], (c1, h1, p1, c2, h2, flat, h3)


def slopes(w, kept, d):
    c1, h1, p1, c2, h2, flat, h3 = kept
    n = len(d)
    g = {'out.weight': d.T @ h3, 'out.bias': d.sum(0)}
    d = (d @ w['out.weight']) * (h3 > 0)
    g |= {'hidden.weight': d.T @ flat, 'hidden.bias': d.sum(0)}
    d = (d @ w['hidden.weight']).reshape(n, 16, 49).transpose(0, 2, 1) * (h2 > 0)
    rows = d.reshape(-1, 16)
    g |= {'conv2.weight': (rows.T @ c2.reshape(-1, 200)).reshape(16, 8, 5, 5), 'conv2.bias': rows.sum(0)}
    d = uncolumns(d @ w['conv2.weight'].reshape(16, 200), p1.shape)
    rows = (d.reshape(n, 8, 196).transpose(0, 2, 1) * (h1 > 0)).reshape(-1, 8)
    g |= {'conv1.weight': (rows.T @ c1.reshape(-1, 25)).reshape(8, 1, 5, 5), 'conv1.bias': rows.sum(0)}
    return g


def softmax(logits):
    e = np.exp(logits - logits.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


# --- pictures ----------------------------------------------------------------------------------------------------------

def changed(x, random):
    """Each picture slanted, turned, scaled and moved a little; bilinear."""
    n = len(x)
    angle, slant = random.normal(0, .12, n), random.normal(0, .15, n)
    across, down = random.normal(1, .08, n), random.normal(1, .08, n)
    cos, sin = np.cos(angle), np.sin(angle)
    v, u = np.meshgrid(np.arange(28) - 13.5, np.arange(28) - 13.5, indexing='ij')
    u, v = u[None] * across[:, None, None], v[None] * down[:, None, None]
    u = u + slant[:, None, None] * v
    px = cos[:, None, None] * u - sin[:, None, None] * v + 13.5 + random.normal(0, .8, n)[:, None, None]
    py = sin[:, None, None] * u + cos[:, None, None] * v + 13.5 + random.normal(0, .8, n)[:, None, None]
    px, py = np.clip(px, 0, 26.999), np.clip(py, 0, 26.999)
    i, j = py.astype(int), px.astype(int)
    fy, fx = py - i, px - j
    at = np.arange(n)[:, None, None]
    y = (x[at, i, j] * (1 - fy) * (1 - fx) + x[at, i, j + 1] * (1 - fy) * fx
         + x[at, i + 1, j] * fy * (1 - fx) + x[at, i + 1, j + 1] * fy * fx)
    y = np.clip(y + random.normal(0, 1, y.shape) * random.uniform(0, .06, n)[:, None, None], 0, 1)
    return y.astype(np.float32)


def read(drawn, mnist):
    own = np.fromfile(drawn, np.uint8).reshape(-1, 28, 28).astype(np.float32) / 255
    images = np.fromfile(os.path.join(mnist, 't10k-images-0-1000.idx3-ubyte'), np.uint8)[16:].reshape(-1, 28, 28)
    labels = np.fromfile(os.path.join(mnist, 't10k-labels-0-1000.idx1-ubyte'), np.uint8)[8:]
    split = len(own) * 9 // 10
    own_labels = np.arange(len(own)) % 10
    images = images.astype(np.float32) / 255
    return (own[:split], own_labels[:split]), (own[split:], own_labels[split:]), \
        (images[:800], labels[:800]), (images[800:], labels[800:])


# --- ONNX, written by hand -----------------------------------------------------------------------------------------------

def varint(value):
    out = b''
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def number(field, value):
    return varint(field << 3) + varint(value)


def block(field, value):
    value = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(value)) + value


def attribute(name, value):
    if isinstance(value, list):
        return block(5, block(1, name) + b''.join(number(8, one) for one in value) + number(20, 7))
    return block(5, block(1, name) + number(3, value) + number(20, 2))


def node(kind, inputs, output, **attributes):
    body = b''.join(block(1, one) for one in inputs) + block(2, output) + block(3, output) + block(4, kind)
    return block(1, body + b''.join(attribute(name, value) for name, value in attributes.items()))


def tensor_info(field, name, size):
    dims = block(1, block(2, 'batch')) + b''.join(block(1, number(1, one)) for one in size)
    return block(field, block(1, name) + block(2, block(1, number(1, 1) + block(2, dims))))


def write_onnx(w, path):
    """16-bit weights, cast to 32 bits where they are used, so that any runtime computes in 32 bits."""
    nodes = [node('Cast', [name], name + '.f32', to=1) for name in w]
    conv = dict(kernel_shape=[5, 5], strides=[2, 2], pads=[2, 2, 2, 2])
    nodes += [
        node('Conv', ['digit', 'conv1.weight.f32', 'conv1.bias.f32'], 'conv1', **conv), node('Relu', ['conv1'], 'relu1'),
        node('Conv', ['relu1', 'conv2.weight.f32', 'conv2.bias.f32'], 'conv2', **conv), node('Relu', ['conv2'], 'relu2'),
        node('Flatten', ['relu2'], 'flat', axis=1),
        node('Gemm', ['flat', 'hidden.weight.f32', 'hidden.bias.f32'], 'hidden', transB=1), node('Relu', ['hidden'], 'relu3'),
        node('Gemm', ['relu3', 'out.weight.f32', 'out.bias.f32'], 'logits', transB=1),
    ]
    weights = b''.join(
        block(5, b''.join(number(1, one) for one in value.shape) + number(2, 10) + block(8, name)
              + block(9, value.astype('<f2').tobytes())) for name, value in w.items())
    graph = b''.join(nodes) + block(2, 'digits') + weights
    graph += tensor_info(11, 'digit', [1, 28, 28]) + tensor_info(12, 'logits', [10])
    model = number(1, 8) + block(2, 'monitaur') + block(7, graph) + block(8, number(2, 17))
    with open(path, 'wb') as file:
        file.write(model)
    return len(model)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--drawn', required=True)
    parser.add_argument('--mnist', required=True)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--epochs', type=int, default=5)
    parser.add_argument('--out', default=os.path.join(HERE, '..', 'digits.onnx'))
    given = parser.parse_args()
    random = np.random.default_rng(given.seed)
    (own, own_labels), own_test, (mnist, mnist_labels), mnist_test = read(given.drawn, given.mnist)
    w = begin(random)
    m = {name: np.zeros_like(value) for name, value in w.items()}
    v = {name: np.zeros_like(value) for name, value in w.items()}
    mean = {name: value.copy() for name, value in w.items()}
    size, step = 128, 0
    per_epoch = len(own) // (size // 2)
    total = given.epochs * per_epoch
    for epoch in range(given.epochs):
        order = random.permutation(len(own))
        for n in range(per_epoch):
            ours, theirs = order[n * 64:(n + 1) * 64], random.integers(0, len(mnist), 64)
            x = changed(np.concatenate([own[ours], mnist[theirs]]), random)[:, None]
            y = np.concatenate([own_labels[ours], mnist_labels[theirs]])
            logits, kept = forward(w, x)
            wanted = np.full((size, 10), .02 / 9, np.float32)
            wanted[np.arange(size), y] = .98
            g = slopes(w, kept, ((softmax(logits) - wanted) / size).astype(np.float32))
            step += 1
            rate = 2e-3 * .5 * (1 + np.cos(np.pi * step / total))
            for name in w:
                m[name] = .9 * m[name] + .1 * g[name]
                v[name] = .999 * v[name] + .001 * g[name] ** 2
                w[name] -= rate * (m[name] / (1 - .9 ** step)) / (np.sqrt(v[name] / (1 - .999 ** step)) + 1e-8) \
                    + rate * .01 * w[name] * name.endswith('weight')
                mean[name] = .995 * mean[name] + .005 * w[name]
        right = [float((forward(mean, x[:, None])[0].argmax(1) == y).mean()) for x, y in (own_test, mnist_test)]
        print(f'epoch {epoch + 1}: drawn {right[0]:.4f}, MNIST {right[1]:.4f}', flush=True)
    final = {name: value.astype(np.float16).astype(np.float32) for name, value in mean.items()}
    right = [float((forward(final, x[:, None])[0].argmax(1) == y).mean()) for x, y in (own_test, mnist_test)]
    print(f'{write_onnx(final, given.out)} bytes; drawn {right[0]:.4f} of {len(own_test[1])}, MNIST {right[1]:.4f} of {len(mnist_test[1])}')


if __name__ == '__main__':
    main()
