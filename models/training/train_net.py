"""Trains the small network for copy detection and writes models/copy-net.onnx.

    python models/training/train_net.py --seed 1

Self-supervised: two views of a procedural picture must be nearer to each other than to the views of any other. Each step
makes a few new pictures (views.py), keeps them in a store, and trains on a batch drawn from the store; past vectors of
other pictures serve as further negatives. --minutes bounds the time: the schedule then ends there.
"""
import argparse
import copy
import os
import time
from concurrent.futures import ThreadPoolExecutor

os.environ.setdefault('MALLOC_MMAP_MAX_', '0')

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import pool
import views

HERE = os.path.dirname(os.path.abspath(__file__))


# --- network ---------------------------------------------------------------------------------------------------------

class Conv(nn.Conv2d):
    """A convolution whose weights are standardised per output and scaled by a gain: trains like with batch normalisation,
    but cheaper, and what it computes for a picture does not depend on other pictures."""

    def __init__(self, inside, outside, size, stride=1, gain=1.7):
        super().__init__(inside, outside, size, stride, size // 2)
        self.gain = nn.Parameter(torch.full((outside, 1, 1, 1), gain))
        nn.init.normal_(self.weight)
        nn.init.zeros_(self.bias)

    def scaled(self):
        w = self.weight
        centred = w - w.mean((1, 2, 3), keepdim=True)
        return self.gain * centred * torch.rsqrt((centred * centred).sum((1, 2, 3), keepdim=True) + 1e-6)

    def forward(self, x):
        return self._conv_forward(x, self.scaled(), self.bias)


class Block(nn.Module):
    """One dense 3 x 3 convolution beside an identity."""

    def __init__(self, width):
        super().__init__()
        self.conv = Conv(width, width, 3, gain=0.7)

    def forward(self, x):
        return F.relu(x + self.conv(x))


class CopyNet(nn.Module):
    """float32 [n, 3, 64, 64], 0..255 -> unit vectors [n, dimensions]; with lift a, one more coordinate.

    The picture is standardised (its own mean and deviation); 32, 16, 8 pixels by strides. What the last layer sees, from bound
    to a place to free of it: few channels at 4 x 4 places, all channels' loudness in 2 x 2 quarters, many channels' loudness
    in the whole.
    """

    def __init__(self, widths=(24, 48, 88), blocks=(1, 2), neck=32, wide=192, dimensions=128):
        super().__init__()
        first, second, third = widths
        self.body = nn.Sequential(
            Conv(3, first, 5, 2), nn.ReLU(),
            Conv(first, second, 3, 2), nn.ReLU(), *[Block(second) for _ in range(blocks[0])],
            Conv(second, third, 3, 2), nn.ReLU(), *[Block(third) for _ in range(blocks[1])],
        )
        self.neck = nn.Sequential(Conv(third, neck, 1), nn.ReLU())
        self.wide = nn.Sequential(Conv(third, wide, 1), nn.ReLU())
        width = 16 * neck + 4 * third + wide
        self.before = nn.BatchNorm1d(width, affine=False, momentum=0.02)
        self.head = nn.Linear(width, dimensions, bias=False)
        self.after = nn.BatchNorm1d(dimensions, affine=False, momentum=0.02)
        self.lift = 0.0

    def features(self, x):
        centred = x - mean(x)
        deviation = torch.sqrt(mean(centred * centred) + 4.0)
        return self.before(self.pooled(self.body(centred / deviation)))

    def forward(self, x):
        z = self.after(self.head(self.features(x)))
        v = z / (torch.linalg.vector_norm(z, dim=1, keepdim=True) + 1e-6)
        if self.lift == 0:
            return v
        ones = torch.linalg.vector_norm(v, dim=1, keepdim=True)
        return torch.cat([v * (1 - self.lift) ** 0.5, ones * self.lift ** 0.5], 1)

    def pooled(self, f):
        places = F.avg_pool2d(self.neck(f), 2).flatten(1)
        wide = self.wide(f)
        if f.dtype != torch.float32:
            places, wide, f = places.float(), wide.float(), f.float()
        return torch.cat([places, loudness(f, 4).flatten(1), loudness(wide, 8).flatten(1)], 1)


def mean(x):
    """The mean of a picture, side by side: one long sum loses digits, and each runtime others."""
    return x.mean(3, keepdim=True).mean(2, keepdim=True).mean(1, keepdim=True)


def loudness(f, size):
    """The root mean square over squares of some size."""
    return torch.sqrt(F.avg_pool2d(f * f + 1e-4, size))


def fold(net):
    """The same function with plain convolutions."""
    net = copy.deepcopy(net).eval()
    for parent in list(net.modules()):
        for name, module in list(parent.named_children()):
            if isinstance(module, Conv):
                plain = nn.Conv2d(module.in_channels, module.out_channels, module.kernel_size, module.stride, module.padding)
                plain.weight.data, plain.bias.data = module.scaled().detach(), module.bias.detach()
                setattr(parent, name, plain)
    net.head, net.before, net.after = folded_head(net), nn.Identity(), nn.Identity()
    return net


def folded_head(net):
    """One linear layer for: normalise, project, normalise."""
    scales = [torch.rsqrt(norm.running_var + norm.eps) for norm in (net.before, net.after)]
    weight = scales[1][:, None] * net.head.weight.detach() * scales[0]
    head = nn.Linear(weight.shape[1], weight.shape[0])
    head.weight.data = weight
    head.bias.data = -weight @ net.before.running_mean - scales[1] * net.after.running_mean
    return head


# --- the store of views ----------------------------------------------------------------------------------------------

class Store:
    """Pictures as uint8 views [capacity, 1 + copies, 3, 64, 64]; the oldest give way. Neighbours stay neighbours."""

    def __init__(self, pictures, capacity, copies, seed):
        self.data = torch.empty((capacity, 1 + copies, 3, 64, 64), dtype=torch.uint8)
        self.ids = torch.empty(capacity, dtype=torch.long)
        self.pictures, self.copies, self.made = pictures, copies, 0
        self.generator = torch.Generator().manual_seed(seed)
        self.maker = torch.Generator().manual_seed(seed + 1)

    def make(self, count, strength):
        """Views of new pictures, half of them small. Has chance of its own, so that it can run beside the training."""
        parts = []
        with torch.no_grad():
            for small in (False, True):
                part = views.identities(self.pictures, count // 2, self.maker, small)
                parts.append(torch.stack(views.views(part, self.maker, small, self.copies, strength), 1).to(torch.uint8))
        return torch.cat(parts)

    def add(self, made):
        at = (torch.arange(len(made)) + self.made) % len(self.data)
        self.data[at] = made
        self.ids[at] = torch.arange(len(made)) + self.made
        self.made += len(made)

    def draw(self, count, run=16):
        """(views [2 * count, 3, 64, 64] uint8, clean first; ids [count]): runs of neighbours, each once."""
        size = min(self.made, len(self.data))
        starts = torch.randperm(size // run, generator=self.generator)[: count // run] * run
        at = (starts[:, None] + torch.arange(run)).flatten()
        copy_of = torch.randint(1, 1 + self.copies, (len(at),), generator=self.generator)
        return torch.cat([self.data[at, 0], self.data[at, copy_of]]), self.ids[at]


class Memory:
    """Vectors of past steps, clean and changed, as further negatives."""

    def __init__(self, capacity, dimensions):
        self.vectors = torch.zeros(2, capacity, dimensions)
        self.ids = torch.full((capacity,), -1)
        self.at = 0

    def add(self, clean, changed, ids):
        at = (torch.arange(len(ids)) + self.at) % len(self.ids)
        self.vectors[0, at], self.vectors[1, at], self.ids[at] = clean, changed, ids
        self.at += len(ids)


# --- loss ------------------------------------------------------------------------------------------------------------

def contrast(a, b, ids, memory_vectors, memory_ids, temperature, shared):
    """Each row of a should be nearest to the same row of b, among the others of b and the memory.

    shared: how much of the negatives' weight is the mean over all rows, so that one threshold fits all pictures.
    """
    own = (a * b).sum(1) / temperature
    others = torch.cat([a @ b.T, a @ memory_vectors.T], 1) / temperature
    same = ids[:, None] == torch.cat([ids, memory_ids])
    others = others.masked_fill(same | (torch.cat([ids, memory_ids]) < 0), -1e4)
    each = torch.logsumexp(others, 1)
    together = torch.logsumexp(each, 0) - np.log(len(each))
    alone = F.softplus(each - own).mean()
    return (1 - shared) * alone + shared * F.softplus(together - own).mean()


def spread(v):
    """KoLeo: the mean of the negative log distance to the nearest other vector."""
    likeness = (v @ v.T).fill_diagonal_(-1)
    return -torch.log((2 - 2 * likeness.amax(1)).clamp(min=1e-6)).mean() / 2


def uniform(v, memory_vectors):
    """The log of the mean squared cosine with the memory: lower when more dimensions are used."""
    return torch.log((v @ memory_vectors.T).square().mean() + 1e-4)


# --- training --------------------------------------------------------------------------------------------------------

def schedule(progress, warm=0.02):
    return min(1.0, progress / warm) * (0.5 + 0.5 * np.cos(np.pi * min(1.0, progress))) + 0.002


def train(options, pictures):
    torch.manual_seed(options.seed)
    net = CopyNet(tuple(options.widths), tuple(options.blocks), options.neck, options.wide, options.dimensions).to(memory_format=torch.channels_last)
    mean_net = copy.deepcopy(net)
    store = Store(pictures, options.store, 2, options.seed)
    memory = Memory(options.memory, options.dimensions)
    decayed = [p for p in net.parameters() if p.dim() > 1]
    flat = [p for p in net.parameters() if p.dim() <= 1]
    optimiser = torch.optim.AdamW([{'params': decayed, 'weight_decay': 0.03}, {'params': flat, 'weight_decay': 0}], lr=options.rate, betas=(0.9, 0.98))
    if options.start:
        net.load_state_dict(torch.load(options.start)['net'])
        solve_head(net, scatter(net, pictures, options.seed, options.fisher), options.ridge, 0.5)
        net.train()
        mean_net.load_state_dict(net.state_dict())
    start = time.time()
    for _ in range(max(1, 2 * options.batch // options.fresh)):
        store.add(store.make(options.fresh, 0.5))
    worker = ThreadPoolExecutor(1)
    coming = worker.submit(store.make, options.fresh, 0.5)
    step, progress, seen, spent = 0, 0.0, [], [0.0, 0.0]
    while progress < 1:
        progress = (time.time() - start) / (60 * options.minutes) if options.minutes else (step + 1) / options.steps
        for group in optimiser.param_groups:
            group['lr'] = options.rate * schedule(progress)
        mark = time.time()
        store.add(coming.result())
        coming = worker.submit(store.make, options.fresh, min(1.0, 0.5 + 4 * progress))
        data, ids = store.draw(options.batch)
        middle = time.time()
        loss = training_step(net, optimiser, memory, data, ids, progress, options)
        follow(mean_net, net, min(0.999, (step + 1) / (step + 20)))
        spent[0] += middle - mark
        spent[1] += time.time() - middle
        seen.append(loss)
        step += 1
        if step % options.report == 0 or progress >= 1:
            print(f'step {step} {100 * progress:.1f} % loss {np.mean(seen, 0).round(4).tolist()} {time.time() - start:.0f} s'
                  f' views {spent[0] / len(seen):.3f} net {spent[1] / len(seen):.3f} s', flush=True)
            seen, spent = [], [0.0, 0.0]
            save(mean_net, options)
    return mean_net


def training_step(net, optimiser, memory, data, ids, progress, options):
    temperature = 0.08 - (0.08 - options.temperature) * min(1.0, 3 * progress)
    x = data.float().contiguous(memory_format=torch.channels_last)
    with torch.autocast('cpu', torch.bfloat16):
        v = net(x)
    a, b = v.float().chunk(2)
    shared = options.shared * min(1.0, 4 * progress)
    both = [contrast(a, b, ids, memory.vectors[1], memory.ids, temperature, shared),
            contrast(b, a, ids, memory.vectors[0], memory.ids, temperature, shared)]
    koleo = spread(a)
    past = memory.vectors[1, : memory.at]
    even = uniform(a, past) if len(past) else torch.zeros(())
    loss = (both[0] + both[1]) / 2 + options.koleo * koleo + options.uniform * even
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    optimiser.step()
    memory.add(a.detach(), b.detach(), ids)
    with torch.no_grad():
        return both[0].item(), koleo.item(), even.item(), (a * b).sum(1).mean().item()


# --- the last layer in closed form ------------------------------------------------------------------------------------

@torch.no_grad()
def scatter(net, pictures, seed, count, copies=3):
    """(mean, within, total): of the features of clean views, and of the differences between clean and changed views."""
    generator = torch.Generator().manual_seed(seed + 2)
    width = net.head.in_features
    sums, total, within, seen, small = torch.zeros(width).double(), torch.zeros(width, width).double(), torch.zeros(width, width).double(), 0, False
    net.eval()
    while seen < count:
        part = views.identities(pictures, 256, generator, small)
        made = views.views(part, generator, small, copies)
        with torch.autocast('cpu', torch.bfloat16):
            rows = [net.features(x.contiguous(memory_format=torch.channels_last)).float() for x in made]
        sums += rows[0].double().sum(0)
        total += (rows[0].T @ rows[0]).double()
        for row in rows[1:]:
            apart = row - rows[0]
            within += (apart.T @ apart).double() / (2 * copies)
        seen, small = seen + len(part), not small
    middle = sums / seen
    return middle, within / seen, total / seen - torch.outer(middle, middle)


@torch.no_grad()
def solve_head(net, statistics, ridge, power):
    """Sets the last layer to Fisher's projection: what differs most between pictures, against within one picture's views.

    Directions are scaled by their ratio to the power (1 - 2 * power) / 2: 0.5 makes them equally loud.
    """
    mean, within, total = statistics
    width = len(mean)
    within = within + ridge * within.trace() / width * torch.eye(width).double()
    inverse = torch.linalg.inv(torch.linalg.cholesky(within))
    ratio, directions = torch.linalg.eigh(inverse @ total @ inverse.T)
    kept = net.head.out_features
    ratio, directions = ratio.flip(0)[:kept], directions.flip(1)[:, :kept]
    directions = directions * torch.sign(directions.sum(0))  # an eigenvector's sign is anybody's choice
    weight = (inverse.T @ directions * ratio ** -power).T
    net.head.weight.copy_(weight)
    net.after.running_mean.copy_(weight @ mean)
    net.after.running_var.fill_(1 - net.after.eps)
    return ratio


@torch.no_grad()
def follow(mean_net, net, keep):
    """The mean of the weights over the last steps."""
    for mean, now in zip(mean_net.state_dict().values(), net.state_dict().values()):
        if mean.dtype.is_floating_point:
            mean.lerp_(now, 1 - keep)
        else:
            mean.copy_(now)


def save(net, options):
    shape = {'widths': tuple(options.widths), 'blocks': tuple(options.blocks), 'neck': options.neck, 'wide': options.wide, 'dimensions': options.dimensions}
    os.makedirs(options.work, exist_ok=True)
    part = os.path.join(options.work, 'part.pt')
    torch.save({'net': net.state_dict(), 'shape': shape}, part)
    os.replace(part, os.path.join(options.work, 'net.pt'))


# --- export ----------------------------------------------------------------------------------------------------------

def load(path):
    kept = torch.load(path)
    net = CopyNet(**kept['shape'])
    net.load_state_dict(kept['net'])
    return net.eval()


def export(net, path, lift):
    """Writes the ONNX file and returns its largest difference from torch."""
    import onnx
    import onnxruntime
    ready = fold(net).to(memory_format=torch.contiguous_format)
    ready.lift = lift
    x = torch.randint(0, 256, (5, 3, 64, 64), generator=torch.Generator().manual_seed(0)).float()
    x[0] = 0  # a picture of one colour must give numbers too
    torch.onnx.export(ready, (x,), path, dynamo=False, opset_version=17, input_names=['pixels'], output_names=['embedding'],
                      dynamic_axes={'pixels': {0: 'batch'}, 'embedding': {0: 'batch'}})
    model = onnx.load(path)
    for node in [node for node in model.graph.node if node.op_type == 'Constant']:  # plain initialisers instead
        tensor = node.attribute[0].t
        tensor.name = node.output[0]
        model.graph.initializer.append(tensor)
        model.graph.node.remove(node)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    session = onnxruntime.InferenceSession(path, providers=['CPUExecutionProvider'])
    with torch.no_grad():
        difference = np.abs(session.run(None, {'pixels': x.numpy()})[0] - ready(x).numpy()).max()
    print('ops', sorted({node.op_type for node in model.graph.node}), 'bytes', os.path.getsize(path), 'difference', difference)
    return float(difference)


def costs(net):
    """(multiply-adds, parameters) of the folded network."""
    total = []

    def count(module, inputs, output):
        if isinstance(module, nn.Conv2d):
            total.append(output[0].numel() * module.weight[0].numel())
        elif isinstance(module, nn.Linear):
            total.append(module.weight.numel())

    ready = fold(net)
    hooks = [module.register_forward_hook(count) for module in ready.modules()]
    with torch.no_grad():
        ready(torch.rand(1, 3, 64, 64) * 255)
    for hook in hooks:
        hook.remove()
    return sum(total), sum(p.numel() for p in ready.parameters())


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--pool', default=os.path.join(HERE, '.cache', 'pool.npy'), help='made where it is missing')
    parser.add_argument('--count', type=int, default=24000, help='pictures of the pool')
    parser.add_argument('--out', default=os.path.join(HERE, '..', 'copy-net.onnx'))
    parser.add_argument('--work', default=os.path.join(HERE, '.cache', 'net'), help='folder of the checkpoint')
    parser.add_argument('--steps', type=int, default=13700, help='about an hour on two cores')
    parser.add_argument('--minutes', type=float, default=0, help='end the schedule by the clock instead (not repeatable)')
    parser.add_argument('--batch', type=int, default=128)
    parser.add_argument('--fresh', type=int, default=32, help='new pictures per step')
    parser.add_argument('--store', type=int, default=131072)
    parser.add_argument('--memory', type=int, default=6144)
    parser.add_argument('--rate', type=float, default=2e-3)
    parser.add_argument('--temperature', type=float, default=0.05)
    parser.add_argument('--shared', type=float, default=0.5)
    parser.add_argument('--koleo', type=float, default=0.3)
    parser.add_argument('--uniform', type=float, default=0.2)
    parser.add_argument('--fisher', type=int, default=24576, help='pictures for the last layer in closed form; 0: as trained')
    parser.add_argument('--ridge', type=float, default=0.04)
    parser.add_argument('--power', type=float, default=0.35)
    parser.add_argument('--widths', type=int, nargs=3, default=(24, 48, 88))
    parser.add_argument('--blocks', type=int, nargs=2, default=(1, 2))
    parser.add_argument('--neck', type=int, default=32)
    parser.add_argument('--wide', type=int, default=192)
    parser.add_argument('--dimensions', type=int, default=128)
    parser.add_argument('--lift', type=float, default=0.75, help='so that 0.9 is the cosine 0.6 of before')
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--report', type=int, default=200)
    parser.add_argument('--start', help='checkpoint to go on from')
    parser.add_argument('--export', help='only export this checkpoint')
    return parser.parse_args()


def main():
    options = parse()
    torch.set_num_threads(options.threads)
    pictures = views.load_pictures(pool.load_pool(options.pool, options.count, options.seed))
    net = load(options.export) if options.export else train(options, pictures)
    if options.fisher:
        solve_head(net, scatter(net, pictures, options.seed, options.fisher), options.ridge, options.power)
    print('multiply-adds %d, parameters %d' % costs(net))
    export(net, options.out, options.lift)


if __name__ == '__main__':
    main()
