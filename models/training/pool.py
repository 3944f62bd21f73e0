"""The procedural pool: pictures that no camera took, made from a seed.

    python models/training/pool.py --out .cache/pool.npy --count 24000 --seed 1

    make_pool(count, seed) -> uint8 [count, 96, 96, 3]   RGB; picture i depends on (seed, i) only
    load_pool(path, count, seed) -> uint8 [count, 96, 96, 3]   makes the file where it is missing

Nine kinds of picture: dead leaves, textured soft shapes, 1/f^a noise, fractals, text and lines, objects on
backgrounds, scenes in layers, regular textures, screens. Each has a random palette; most get an illumination field,
a tone curve and a little blur, and a quarter are composites of two others.
"""
import argparse
import os
import sys
import time

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

SIZE = 96
FINE = 192  # shapes are drawn at twice the size, then averaged
FIELDS = 320
AXIS = (np.arange(SIZE, dtype=np.float32) + 0.5) / SIZE * 2 - 1
X, Y = np.meshgrid(AXIS, AXIS)


# --- noise -----------------------------------------------------------------------------------------------------------

def noise_bank(seed):
    """float32 [FIELDS, 192, 192]: periodic noise fields, mean 0 and deviation 1, of many slopes and directions."""
    rng = np.random.default_rng([seed, 1])
    fy = np.fft.fftfreq(FINE)[:, None] * FINE
    fx = np.fft.rfftfreq(FINE)[None, :] * FINE
    bank = np.empty((FIELDS, FINE, FINE), np.float32)
    for i in range(FIELDS):
        angle, ratio = rng.uniform(0, np.pi), np.exp(rng.uniform(0, 1.8) * (rng.random() < 0.5))
        u = (fx * np.cos(angle) + fy * np.sin(angle)) * ratio
        v = (fy * np.cos(angle) - fx * np.sin(angle)) / ratio
        radius = np.sqrt(u * u + v * v + 0.5)
        gain = radius ** -rng.uniform(0.7, 2.6)
        if rng.random() < 0.25:  # one scale stands out: spots, ripples
            centre = np.exp(rng.uniform(np.log(4), np.log(30)))
            gain = np.exp(-((np.log(radius / centre) / rng.uniform(0.2, 0.6)) ** 2)) + 0.05 * gain
        gain[0, 0] = 0
        phase = rng.standard_normal(gain.shape) + 1j * rng.standard_normal(gain.shape)
        field = np.fft.irfft2(phase * gain, (FINE, FINE))
        if rng.random() < 0.3:  # ridges
            field = np.abs(field) ** 0.7
        bank[i] = (field - field.mean()) / (field.std() + 1e-9)
    return bank


def noise(rng, bank, smooth=False):
    """float32 [96, 96]: a window of a field of the bank, turned and stretched."""
    field = bank[rng.integers(FIELDS)]
    if rng.random() < 0.5:
        field = field.T
    reach = rng.uniform(60, FINE) if not smooth else rng.uniform(24, 60)
    rows = (np.arange(SIZE) * (reach / SIZE) + rng.uniform(0, FINE)).astype(int) % FINE
    columns = (np.arange(SIZE) * (reach * rng.uniform(0.7, 1.3) / SIZE) + rng.uniform(0, FINE)).astype(int) % FINE
    if rng.random() < 0.5:
        rows = rows[::-1]
    return field[rows[:, None], columns[None, :]]


def smooth_noise(rng):
    """float32 [96, 96] from -1 to 1: a few waves over the whole picture."""
    total = np.zeros((SIZE, SIZE), np.float32)
    for _ in range(rng.integers(2, 6)):
        fx, fy = rng.normal(0, 1.6, 2)
        total += rng.uniform(0.3, 1) * np.sin(fx * X + fy * Y + rng.uniform(0, 6.3)).astype(np.float32)
    return total / (np.abs(total).max() + 1e-6)


# --- colour ----------------------------------------------------------------------------------------------------------

def hsv(h, s, v):
    """RGB from 0 to 1 of arrays of hue, saturation and value from 0 to 1."""
    k = (np.asarray([5, 3, 1]) + np.asarray(h)[..., None] * 6) % 6
    fall = np.clip(np.minimum(k, 4 - k), 0, 1)
    v, s = np.asarray(v)[..., None], np.asarray(s)[..., None]
    return v - v * s * fall


def palette(rng, count):
    """float [count, 3]: colours that belong together; mostly muted, now and then grey or loud."""
    mode = rng.random()
    hue = rng.random() if rng.random() < 0.5 else rng.choice([0.02, 0.06, 0.1, 0.14, 0.27, 0.57, 0.6]) + rng.normal(0, 0.03)
    if mode < 0.12:
        h, s = np.zeros(count), np.zeros(count)
    elif mode < 0.55:  # neighbours of one hue, earth, sky
        h = hue + rng.normal(0, rng.uniform(0.02, 0.12), count)
        s = rng.beta(1.5, 3, count)
    elif mode < 0.8:  # two hues against each other
        h = hue + rng.choice([0.0, rng.uniform(0.3, 0.5)], count) + rng.normal(0, 0.04, count)
        s = rng.beta(1.6, 2.2, count)
    else:
        h, s = rng.random(count), rng.beta(2, 1.5, count)
    spread = rng.uniform(0.5, 1)
    v = np.clip(rng.uniform(0.25, 0.85) + spread * rng.uniform(-0.75, 0.75, count), 0.02, 1)
    return hsv(h % 1, s, v).astype(np.float32)


def colourise(rng, field, colours):
    """float32 [..., 3]: a field mapped through a random order of the colours."""
    low, high = np.quantile(field[::3, ::3], (0.02, 0.98))
    t = np.clip((field - low) / (high - low + 1e-6), 0, 1)
    ramp = np.linspace(0, 1, len(colours))
    table = np.stack([np.interp(np.linspace(0, 1, 256), ramp, colours[:, c]) for c in range(3)], -1)
    return table[(t * 255).astype(int)].astype(np.float32)


# --- textures --------------------------------------------------------------------------------------------------------

def waves(rng):
    angle = rng.uniform(0, np.pi)
    along = X * np.cos(angle) + Y * np.sin(angle)
    return along, Y * np.cos(angle) - X * np.sin(angle)


def stripes(rng, bank):
    along, _ = waves(rng)
    bend = rng.uniform(0, 2.5) * smooth_noise(rng)
    field = np.sin(np.exp(rng.uniform(1.3, 3.7)) * along + bend)
    return np.clip(field * rng.uniform(1, 6), -1, 1) + rng.uniform(0, 0.4) * noise(rng, bank)


def checks(rng, bank):
    along, across = waves(rng)
    a, b = np.exp(rng.uniform(1.3, 3.2, 2))
    bend = rng.uniform(0, 0.8) * smooth_noise(rng)
    kind = np.sin(a * along + bend), np.sin(b * across + bend)
    field = kind[0] * kind[1] if rng.random() < 0.6 else np.maximum(*kind)
    return np.clip(field * rng.uniform(1, 9), -1, 1) + rng.uniform(0, 0.4) * noise(rng, bank)


def cells(rng, bank):
    count = int(rng.integers(6, 45))
    points = rng.uniform(-1.1, 1.1, (count, 2)).astype(np.float32)
    warp = rng.uniform(0, 0.25)
    px, py = X + warp * smooth_noise(rng), Y + warp * smooth_noise(rng)
    distance = (px[..., None] - points[:, 0]) ** 2 + (py[..., None] - points[:, 1]) ** 2
    if rng.random() < 0.5:
        return rng.random(count).astype(np.float32)[distance.argmin(-1)] + rng.uniform(0, 0.15) * noise(rng, bank)
    two = np.partition(distance, 1, -1)[..., :2]
    return np.sqrt(two[..., 0]) if rng.random() < 0.5 else np.sqrt(two[..., 1]) - np.sqrt(two[..., 0])


def warped(rng, bank):
    field = bank[rng.integers(FIELDS)]
    strength = rng.uniform(5, 45)
    rows = np.arange(SIZE)[:, None] + strength * smooth_noise(rng) + rng.uniform(0, FINE)
    columns = np.arange(SIZE)[None, :] + strength * smooth_noise(rng) + rng.uniform(0, FINE)
    return field[rows.astype(int) % FINE, columns.astype(int) % FINE]


def rings(rng, bank):
    cx, cy = rng.uniform(-0.8, 0.8, 2)
    radius = np.sqrt((X - cx) ** 2 + (Y - cy) ** 2 * rng.uniform(0.4, 2.5))
    spokes = rng.integers(0, 12) * np.arctan2(Y - cy, X - cx) if rng.random() < 0.5 else 0
    return np.sin(np.exp(rng.uniform(1, 3.2)) * radius + spokes + rng.uniform(0, 2) * smooth_noise(rng))


def field_of(rng, bank):
    kind = rng.random()
    if kind < 0.45:
        return noise(rng, bank)
    if kind < 0.6:
        return warped(rng, bank)
    return [stripes, checks, cells, rings][rng.integers(4)](rng, bank)


def texture(rng, bank, colours=None):
    """float32 [96, 96, 3]: a surface."""
    colours = palette(rng, 6) if colours is None else colours
    picked = colours[rng.permutation(len(colours))[: rng.integers(2, min(6, len(colours)) + 1)]]
    if rng.random() < 0.45:  # one colour with a little structure
        weight = rng.uniform(0.03, 0.3)
        return np.clip(picked[0] * (1 + weight * field_of(rng, bank)[..., None]), 0, 1).astype(np.float32)
    return colourise(rng, field_of(rng, bank), picked)


def gradient(rng, colours):
    """float32 [96, 96, 3]: one to three soft gradients."""
    field = smooth_noise(rng) if rng.random() < 0.5 else waves(rng)[0]
    return colourise(rng, field, colours[: rng.integers(2, 4)])


# --- masks -----------------------------------------------------------------------------------------------------------

def outline(rng, cx, cy, radius, points=40):
    """float [points, 2]: a closed curve around a centre, in pixels of the fine canvas."""
    angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
    kind = rng.random()
    if kind < 0.35:
        r = np.ones(points)
    elif kind < 0.75:
        r = 1 + sum(rng.normal(0, 0.35 / k) * np.sin(k * angle + rng.uniform(0, 6.3)) for k in range(1, 7))
    else:
        corners = rng.integers(3, 8)
        angle = np.sort(rng.uniform(0, 2 * np.pi, corners)) if rng.random() < 0.5 else np.arange(corners) * 6.2832 / corners
        r = rng.uniform(0.6, 1.2, corners) if rng.random() < 0.5 else np.ones(corners)
    stretch, turn = np.exp(rng.normal(0, 0.4)), rng.uniform(0, 6.3)
    x, y = r * np.cos(angle) * stretch, r * np.sin(angle) / stretch
    return np.stack([cx + radius * (x * np.cos(turn) - y * np.sin(turn)), cy + radius * (x * np.sin(turn) + y * np.cos(turn))], -1)


def polygon(draw, points, fill):
    draw.polygon([tuple(p) for p in points.tolist()], fill=fill)


def to_mask(image):
    """float32 [96, 96] from 0 to 1 of a fine drawing."""
    return np.asarray(image.reduce(2), np.float32) / 255


def shape_mask(rng, radius=None, soft=True):
    """An image 'L' of 192 x 192 with one shape: a blob, a polygon, a chain of blobs (a body), a branching line."""
    image = Image.new('L', (FINE, FINE))
    draw = ImageDraw.Draw(image)
    radius = radius or np.exp(rng.uniform(np.log(14), np.log(80)))
    cx, cy = rng.normal(FINE / 2, 34, 2)
    kind = rng.random()
    if kind < 0.45:
        polygon(draw, outline(rng, cx, cy, radius), 255)
    elif kind < 0.8:
        body(rng, draw, cx, cy, radius)
    else:
        branch(rng, draw, cx, cy + radius * 0.6, radius * 0.7, rng.uniform(-2.2, -0.9), 5)
    if soft and rng.random() < 0.25:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(1, 6)))
    return image


def body(rng, draw, cx, cy, radius):
    """Ellipses along a walk, with limbs: something like an animal or a tool."""
    turn = rng.uniform(0, 6.3)
    for step in range(rng.integers(2, 6)):
        polygon(draw, outline(rng, cx, cy, radius * rng.uniform(0.3, 0.75), 24), 255)
        for _ in range(rng.integers(0, 3)):
            a, far = rng.uniform(0, 6.3), radius * rng.uniform(0.5, 1.4)
            draw.line([cx, cy, cx + far * np.cos(a), cy + far * np.sin(a)], fill=255, width=int(rng.uniform(2, 3 + radius / 6)))
        turn += rng.normal(0, 0.7)
        cx, cy = cx + radius * 0.6 * np.cos(turn), cy + radius * 0.6 * np.sin(turn)


def branch(rng, draw, x, y, length, angle, depth):
    if depth == 0 or length < 2:
        return
    x2, y2 = x + length * np.cos(angle), y + length * np.sin(angle)
    draw.line([x, y, x2, y2], fill=255, width=max(1, int(length / 5)))
    for _ in range(2 if depth > 1 else 3):
        branch(rng, draw, x2, y2, length * rng.uniform(0.55, 0.9), angle + rng.normal(0, 0.6), depth - 1)


def blend(low, high, mask):
    return low + (high - low) * mask[..., None]


def paste(rng, picture, surface, image):
    """Lays a surface over a picture through a fine mask, with light from one side and, at times, a shadow below."""
    mask = to_mask(image)
    if rng.random() < 0.6:
        reach = rng.uniform(2, 12)
        height = np.asarray(image.reduce(2).filter(ImageFilter.GaussianBlur(reach)), np.float32) / 255
        gy, gx = np.gradient(height)
        angle = rng.uniform(0, 6.3)
        light = (gx * np.cos(angle) + gy * np.sin(angle)) * reach * rng.uniform(0.5, 2)
        surface = surface * np.clip(1 + light, 0.2, 1.9)[..., None]
    if rng.random() < 0.4:
        shadow = np.roll(mask, rng.integers(-5, 6, 2), (0, 1)) * rng.uniform(0.2, 0.6)
        picture = picture * (1 - shadow)[..., None]
    return blend(picture, surface, mask)


# --- kinds of picture ------------------------------------------------------------------------------------------------

def dead_leaves(rng, bank):
    colours = palette(rng, int(rng.integers(4, 24)))
    label = Image.new('L', (FINE, FINE))
    draw = ImageDraw.Draw(label)
    count = int(np.exp(rng.uniform(np.log(15), np.log(260))))
    low, power = rng.uniform(3, 12), rng.uniform(1.2, 3)
    radii = np.minimum(low * (1 - rng.random(count)) ** (-1 / power), 110)
    one_kind = outline(rng, 0, 0, 1, 20) if rng.random() < 0.4 else None
    for radius in radii:
        cx, cy = rng.uniform(-15, FINE + 15, 2)
        if one_kind is not None:
            turn = rng.uniform(0, 6.3)
            matrix = np.asarray([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) * radius
            polygon(draw, one_kind @ matrix + (cx, cy), int(rng.integers(256)))
        else:
            polygon(draw, outline(rng, cx, cy, radius, 18), int(rng.integers(256)))
    ids = np.asarray(label)
    of_label = rng.integers(len(colours), size=256)
    shift = rng.normal(0, rng.uniform(0, 0.12), (256, 1)).astype(np.float32)
    flat = (colours[of_label] + shift)[ids]
    flat = flat.reshape(SIZE, 2, SIZE, 2, 3).mean((1, 3))
    if rng.random() < 0.75:
        surfaces = np.stack([field_of(rng, bank) for _ in range(3)])
        surfaces = surfaces / (surfaces.std((1, 2), keepdims=True) + 1e-6)
        chosen = rng.integers(3, size=256)[ids[::2, ::2]]
        amount = rng.uniform(0, rng.uniform(0.05, 0.4), 256).astype(np.float32)[ids[::2, ::2]]
        flat = flat * (1 + amount * np.take_along_axis(surfaces, chosen[None], 0)[0])[..., None]
    return flat


def soft_shapes(rng, bank):
    colours = palette(rng, 8)
    picture = texture(rng, bank, colours)
    for _ in range(rng.integers(1, 6)):
        field = noise(rng, bank, smooth=True) if rng.random() < 0.5 else smooth_noise(rng) * 2
        mask = np.clip((field - rng.uniform(-0.5, 1.2)) * np.exp(rng.uniform(0, 3)) + 0.5, 0, 1)
        picture = blend(picture, texture(rng, bank, colours if rng.random() < 0.7 else None), mask)
    return picture


def clouds(rng, bank):
    if rng.random() < 0.5:
        return colourise(rng, field_of(rng, bank) + rng.uniform(0, 2) * smooth_noise(rng), palette(rng, int(rng.integers(2, 7))))
    mixture = np.stack([field_of(rng, bank) for _ in range(3)], -1) @ rng.normal(0, 0.5, (3, 3))
    return np.clip(0.5 + rng.uniform(0.1, 0.3) * mixture, 0, 1)


def fractals(rng, bank):
    colours = palette(rng, 6)
    if rng.random() < 0.45:
        c = 0.7885 * np.exp(1j * rng.uniform(0, 6.3)) * rng.uniform(0.7, 1.1)
        zoom = np.exp(rng.uniform(-2, 0.4))
        z = (X + 1j * Y) * zoom + complex(*rng.normal(0, 0.4, 2))
        escape = np.zeros((SIZE, SIZE), np.float32)
        for _ in range(24):
            z = np.where(np.abs(z) > 4, 4, z * z + c)
            escape += np.exp(-np.abs(z))
        return colourise(rng, escape, colours)
    count, lanes = int(rng.integers(2, 5)), 1500
    maps = rng.uniform(-0.85, 0.85, (count, 2, 2))
    maps /= np.maximum(1, np.linalg.norm(maps, 2, (1, 2)) / rng.uniform(0.6, 0.92))[:, None, None]
    offsets = rng.uniform(-1, 1, (count, 2))
    point = rng.uniform(-1, 1, (lanes, 2))
    seen = []
    for step in range(22):
        pick = rng.integers(count, size=lanes)
        point = np.einsum('nij,nj->ni', maps[pick], point) + offsets[pick]
        if step > 6:
            seen.append(point)
    seen = np.concatenate(seen)
    low, high = seen.min(0), seen.max(0)
    at = ((seen - low) / (high - low + 1e-6) * (SIZE - 1)).astype(int)
    density = np.bincount(at[:, 1] * SIZE + at[:, 0], minlength=SIZE * SIZE).reshape(SIZE, SIZE).astype(np.float32)
    density = np.log1p(density) / np.log1p(density).max()
    ground = texture(rng, bank, colours) if rng.random() < 0.5 else gradient(rng, colours)
    return blend(ground, texture(rng, bank), np.clip(density * rng.uniform(1, 3), 0, 1))


LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,:;!?%&@#+-=()/'


def words(rng, length):
    return ''.join(LETTERS[i] if i < len(LETTERS) else ' ' for i in rng.integers(len(LETTERS) + 14, size=length))


def hexes(colours):
    return [tuple(int(v * 255) for v in c) for c in np.clip(colours, 0, 1)]


def writing(rng, bank):
    colours = palette(rng, 6)
    ground = (texture(rng, bank, colours) if rng.random() < 0.35 else gradient(rng, colours) if rng.random() < 0.5
              else np.broadcast_to(colours[0], (SIZE, SIZE, 3)))
    image = Image.fromarray((np.clip(ground, 0, 1) * 255).astype(np.uint8)).resize((FINE, FINE))
    draw, inks = ImageDraw.Draw(image), hexes(palette(rng, 5))
    for _ in range(rng.integers(1, 9)):
        ink = inks[rng.integers(5)]
        x, y = rng.uniform(-20, FINE, 2)
        if rng.random() < 0.5:
            size = int(np.exp(rng.uniform(np.log(10), np.log(130))))
            draw.multiline_text((x / 2, y - size / 2), '\n'.join(words(rng, 14) for _ in range(rng.integers(1, 7) if size < 30 else 1)), fill=ink, font=font(size))
        elif rng.random() < 0.6:
            points = rng.uniform(0, FINE, (rng.integers(2, 9), 2)) if rng.random() < 0.5 else outline(rng, x, y, 60)
            draw.line([tuple(p) for p in points.tolist()], fill=ink, width=int(rng.integers(1, 9)))
        else:
            x2, y2 = x + rng.uniform(5, 150), y + rng.uniform(5, 150)
            draw.arc([x, y, x2, y2], rng.uniform(0, 180), rng.uniform(180, 360), fill=ink, width=int(rng.integers(1, 12)))
    return np.asarray(image.reduce(2), np.float32) / 255


FONTS = {}


def font(size):
    if size not in FONTS:
        FONTS[size] = ImageFont.load_default(size)
    return FONTS[size]


def screens(rng, bank):
    """Windows, tables and charts."""
    inks = hexes(palette(rng, 7))
    image = Image.new('RGB', (FINE, FINE), inks[0])
    draw = ImageDraw.Draw(image)
    x = 0.0
    cuts = [(0, 0, FINE, FINE)]
    for _ in range(rng.integers(1, 8)):
        x0, y0, x1, y1 = cuts.pop(rng.integers(len(cuts)))
        if x1 - x0 > y1 - y0 if rng.random() < 0.8 else rng.random() < 0.5:
            x = x0 + (x1 - x0) * rng.uniform(0.2, 0.8)
            cuts += [(x0, y0, x, y1), (x, y0, x1, y1)]
        else:
            x = y0 + (y1 - y0) * rng.uniform(0.2, 0.8)
            cuts += [(x0, y0, x1, x), (x0, x, x1, y1)]
    for x0, y0, x1, y1 in cuts:
        draw.rectangle([x0, y0, x1, y1], fill=inks[rng.integers(7)])
        kind, ink = rng.random(), inks[rng.integers(7)]
        if kind < 0.3:
            size = int(rng.integers(8, 20))
            draw.multiline_text((x0 + 4, y0 + 4), '\n'.join(words(rng, int(max(2, (x1 - x0) / size * 1.6))) for _ in range(max(1, int((y1 - y0) / size / 1.4)))), fill=ink, font=font(size))
        elif kind < 0.5:
            bars = int(rng.integers(2, 12))
            for i in range(bars):
                left = x0 + (x1 - x0) * i / bars
                draw.rectangle([left, y1 - (y1 - y0) * rng.uniform(0.05, 0.95), left + (x1 - x0) / bars * 0.8, y1], fill=inks[rng.integers(7)])
        elif kind < 0.65:
            step = rng.uniform(6, 30)
            for i in range(int((y1 - y0) / step)):
                draw.line([x0, y0 + i * step, x1, y0 + i * step], fill=ink, width=int(rng.integers(1, 4)))
        elif kind < 0.85 and x1 - x0 > 24 and y1 - y0 > 24:
            inner = (np.clip(texture(rng, bank), 0, 1) * 255).astype(np.uint8)
            image.paste(Image.fromarray(inner).resize((int(x1 - x0) - 8, int(y1 - y0) - 8)), (int(x0) + 4, int(y0) + 4))
    return np.asarray(image.reduce(2), np.float32) / 255


def objects(rng, bank):
    """One to a few things before a background that is often out of focus."""
    colours = palette(rng, 8)
    picture = scene(rng, bank) if rng.random() < 0.3 else texture(rng, bank, colours) if rng.random() < 0.6 else gradient(rng, colours)
    if rng.random() < 0.5:
        picture = blur(picture, rng.uniform(0.5, 5))
    own = palette(rng, 8)
    for _ in range(rng.integers(1, 5)):
        picture = paste(rng, picture, texture(rng, bank, own), shape_mask(rng))
    return picture


def scene(rng, bank):
    """Sky, ridges one behind the other, a floor in perspective, and things that stand on it."""
    colours = palette(rng, 10)
    sky = gradient(rng, colours)
    if rng.random() < 0.6:
        sky = blend(sky, np.ones_like(sky) * palette(rng, 1)[0], np.clip(noise(rng, bank) * 0.4 + rng.uniform(-0.3, 0.5), 0, 1))
    picture, horizon = sky, rng.uniform(-0.6, 0.6)
    haze = colours[0]
    layers = int(rng.integers(1, 5))
    for layer in range(layers):
        line = horizon + (layer + rng.uniform(-0.5, 0.5)) * 0.25 + rng.uniform(0.02, 0.4) * noise(rng, bank, smooth=True)[0] * 0.5
        mask = np.clip((Y - line[None, :]) * 40, 0, 1)
        surface = texture(rng, bank, colours[1:])
        surface = surface + (haze - surface) * (1 - (layer + 1) / (layers + 1)) * rng.uniform(0, 0.8)
        picture = blend(picture, surface, mask)
    if rng.random() < 0.6:
        line = rng.uniform(horizon, 0.8)
        depth = 1 / np.maximum(Y - line + 0.08, 0.03)
        field, step = bank[rng.integers(FIELDS)], rng.uniform(4, 20)
        rows, columns = (depth * step * 2).astype(int) % FINE, (X * depth * step + rng.uniform(0, FINE)).astype(int) % FINE
        floor = colourise(rng, field[rows, columns], palette(rng, 4))
        picture = blend(picture, floor, np.clip((Y - line) * 48, 0, 1))
    for _ in range(rng.integers(0, 6)):
        picture = stand(rng, bank, picture, colours)
    return picture


def stand(rng, bank, picture, colours):
    image = Image.new('L', (FINE, FINE))
    draw = ImageDraw.Draw(image)
    x, foot = rng.uniform(0, FINE), rng.uniform(90, 200)
    if rng.random() < 0.5:
        width, height = rng.uniform(8, 70), rng.uniform(20, 150)
        draw.rectangle([x, foot - height, x + width, foot], fill=255)
        if rng.random() < 0.4:
            draw.polygon([(x - 6, foot - height), (x + width + 6, foot - height), (x + width / 2, foot - height - width / 2)], fill=255)
        surface = texture(rng, bank, colours)
        if rng.random() < 0.6:
            a, b = rng.uniform(12, 45, 2)
            windows = (np.sin(a * X) > rng.uniform(-0.4, 0.4)) & (np.sin(b * Y) > rng.uniform(-0.4, 0.4))
            surface = blend(surface, np.ones_like(surface) * palette(rng, 1)[0], windows.astype(np.float32))
    else:
        branch(rng, draw, x, foot, rng.uniform(12, 45), -1.57 + rng.normal(0, 0.1), 6)
        if rng.random() < 0.6:
            for _ in range(12):
                cx, cy, r = x + rng.normal(0, 22), foot - rng.uniform(40, 110), rng.uniform(4, 18)
                draw.ellipse([cx - r, cy - r, cx + r, cy + r], fill=255)
        surface = texture(rng, bank, colours)
    return paste(rng, picture, surface, image)


def regular(rng, bank):
    colours = palette(rng, int(rng.integers(2, 6)))
    kind = [stripes, checks, cells, rings, warped][rng.integers(5)]
    picture = colourise(rng, kind(rng, bank), colours)
    if rng.random() < 0.6:
        picture = paste(rng, picture, texture(rng, bank), shape_mask(rng))
    return picture


KINDS = [(dead_leaves, 0.22), (soft_shapes, 0.13), (clouds, 0.06), (fractals, 0.06), (writing, 0.07), (screens, 0.05),
         (objects, 0.2), (scene, 0.15), (regular, 0.06)]
CHANCES = np.cumsum([chance for _, chance in KINDS])


# --- finish ----------------------------------------------------------------------------------------------------------

def blur(picture, radius):
    image = Image.fromarray((np.clip(picture, 0, 1) * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(radius))
    return np.asarray(image, np.float32) / 255


def draw_one(rng, bank):
    return KINDS[min(int(np.searchsorted(CHANCES, rng.random())), len(KINDS) - 1)][0](rng, bank)


def composite(rng, bank):
    first, second = draw_one(rng, bank), draw_one(rng, bank)
    kind = rng.random()
    if kind < 0.35:
        return paste(rng, first, np.roll(second, rng.integers(0, SIZE, 2), (0, 1)), shape_mask(rng, rng.uniform(40, 90)))
    if kind < 0.7:
        along, _ = waves(rng)
        return blend(first, second, np.clip((along + 0.3 * smooth_noise(rng) - rng.uniform(-0.4, 0.4)) * np.exp(rng.uniform(0.5, 4)) + 0.5, 0, 1))
    return first + (second - first) * rng.uniform(0.2, 0.8)


def finish(rng, picture):
    """Light, tone, focus and grain, to bytes."""
    if rng.random() < 0.6:
        picture = picture * (1 + rng.uniform(0, 0.6) * smooth_noise(rng))[..., None]
    picture = np.clip(picture, 0, 1)
    if rng.random() < 0.5:
        picture = picture ** np.exp(rng.normal(0, 0.35))
    if rng.random() < 0.3:
        picture = blur(picture, rng.uniform(0.3, 1.6))
    low, high = np.quantile(picture[::4, ::4], (0.05, 0.95))
    if high - low < 0.35:  # too dull to have an identity
        picture = (picture - low) / (high - low + 0.05) * rng.uniform(0.35, 0.8) + rng.uniform(0.05, 0.2)
    if rng.random() < 0.3:
        picture = picture + rng.normal(0, rng.uniform(0, 0.03), picture.shape)
    return (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)


def make_pool(count, seed):
    """uint8 [count, 96, 96, 3] RGB. A longer pool begins with the shorter one of the same seed."""
    bank = noise_bank(seed)
    pool = np.empty((count, SIZE, SIZE, 3), np.uint8)
    start = time.time()
    for i in range(count):
        rng = np.random.default_rng([seed, 2, i])
        pool[i] = finish(rng, composite(rng, bank) if rng.random() < 0.25 else draw_one(rng, bank))
        if (i + 1) % 2000 == 0:
            print(f'pool {i + 1}/{count}, {time.time() - start:.0f} s', flush=True)
    return pool


def load_pool(path, count, seed):
    """The pool from a .npy file; made and kept there where it is missing or shorter than count."""
    if os.path.exists(path):
        pool = np.load(path, mmap_mode='r')
        if len(pool) >= count:
            return np.ascontiguousarray(pool[:count])
    pool = make_pool(count, seed)
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    part = f'{path}.part.npy'
    np.save(part, pool)
    os.replace(part, path)
    return pool


def sheet(pool, columns=16):
    """An image of the first pictures side by side."""
    rows = [np.concatenate(list(pool[i:i + columns]), 1) for i in range(0, len(pool) - columns + 1, columns)]
    return Image.fromarray(np.concatenate(rows, 0))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--out', required=True)
    parser.add_argument('--count', type=int, default=24000)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--sheet', help='also write a picture of the first 160')
    options = parser.parse_args()
    pool = load_pool(options.out, options.count, options.seed)
    if options.sheet:
        sheet(pool[:160]).save(options.sheet)
    print(f'{len(pool)} pictures in {options.out}', file=sys.stderr)


if __name__ == '__main__':
    main()
