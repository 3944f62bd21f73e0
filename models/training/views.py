"""Two views of a picture: one clean, one as a copy of it might come back. All in torch, on the CPU.

    load_pictures(pool) -> uint8 tensor [count, 3, 96, 96]           from the array of pool.py
    identities(pictures, count, generator, small=False) -> float [count, 3, 96, 96] (48 x 48 where small), 0..255;
        new pictures made of those of the pool: flipped, turned, recoloured, composed; some come in groups of four that
        share palette, layout or half the content
    pair(pictures, generator, small, strength=1.0) -> (clean, changed), each float [n, 3, 64, 64], whole numbers 0..255
        small=False: as a photo of 224 pixels reduced to 64 (the changes are made at 64 pixels)
        small=True:  as a picture of 32 pixels enlarged to 64 (the changes are made at 32 pixels)
        strength: how far the ranges of the changes reach; 1 is the hard set of the benchmark and a little more
    views(pictures, generator, small, copies, strength=1.0) -> [clean, changed, changed, ...]   several copies of each
    batch(pictures, count, generator, strength=1.0) -> (clean, changed)  float [count, 3, 64, 64], half of them small

Ranges at strength 1: crop to 25 % from each side and off the centre, shift to 25 %, rotation to 13 degrees, aspect to 8 %,
letterbox and frames to 30 %, overlays to 22 % of the area, 30 squares, text, blur, noise to sigma 20 (at 32 pixels), JPEG
15 to 95, brightness and contrast, gamma, grey, saturation 0 to 2, hue to 40 degrees. A copy gets one to four of them.
"""
import math

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw, ImageFont

SIDE = 64
LUMA = torch.tensor([0.299, 0.587, 0.114])


def load_pictures(pool):
    return torch.from_numpy(np.ascontiguousarray(np.asarray(pool).transpose(0, 3, 1, 2)))


class Dice:
    """Random numbers of one generator."""

    def __init__(self, generator):
        self.generator = generator

    def uniform(self, low, high, *shape):
        return torch.rand(shape, generator=self.generator) * (high - low) + low

    def normal(self, *shape):
        return torch.randn(shape, generator=self.generator)

    def below(self, limit, *shape):
        return torch.randint(0, limit, shape, generator=self.generator)

    def chance(self, share, *shape):
        return torch.rand(shape, generator=self.generator) < share

    def some(self, count, share):
        """Positions below count, each with a chance."""
        return torch.nonzero(self.chance(share, count)).flatten()


# --- new pictures out of the pool ------------------------------------------------------------------------------------

def identities(pictures, count, generator, small=False):
    dice = Dice(generator)
    x = pictures[dice.below(len(pictures), count)].float()
    x = F.avg_pool2d(x, 2) if small else x
    x = recolour(turn(x, dice), dice)
    group = count // 8 // 4 * 4
    cut = [0, group, 2 * group, 3 * group, 5 * group]
    x[cut[0]:cut[1]] = same_palette(x[cut[0]:cut[1]])
    x[cut[1]:cut[2]] = same_layout(x[cut[1]:cut[2]])
    x[cut[2]:cut[3]] = same_half(x[cut[2]:cut[3]], dice)
    x[cut[3]:cut[4]] = composed(x[cut[3]:cut[4]], dice)
    return x.clamp(0, 255)


def turn(x, dice):
    """Each picture flipped and turned by a multiple of a right angle."""
    kind = dice.below(8, len(x))
    out = torch.empty_like(x)
    for k in range(8):
        own = torch.nonzero(kind == k).flatten()
        y = x[own]
        y = y.transpose(2, 3) if k & 1 else y
        y = y.flip(2) if k & 2 else y
        out[own] = y.flip(3) if k & 4 else y
    return out


def recolour(x, dice):
    """Channels mixed, toned and now and then inverted: another picture of the same shapes."""
    n = len(x)
    mix = torch.eye(3) + 0.2 * dice.normal(n, 3, 3)
    order = torch.argsort(dice.uniform(0, 1, n, 3), 1)
    swapped = dice.chance(0.4, n)
    mix[swapped] = torch.gather(mix[swapped], 1, order[swapped][:, :, None].expand(-1, -1, 3))
    towards_grey = dice.uniform(0.1, 0.95, n, 1, 1) * dice.chance(0.75, n, 1, 1)
    mix = mix * (1 - towards_grey) + LUMA.expand(n, 3, 3) * towards_grey
    mean = x.mean((2, 3), keepdim=True).flatten(2)
    sign = 1 - 2 * dice.chance(0.12, n, 1, 1).float()
    centred = torch.bmm(mix, x.flatten(2) - mean) * sign * torch.exp(0.2 * dice.normal(n, 1, 1))
    base = mean * 0.7 + 0.3 * dice.uniform(40, 215, n, 1, 1) + 12 * dice.normal(n, 3, 1)
    return (base + centred).clamp(0, 255).view_as(x)


def same_palette(x):
    """Groups of four with one mean and one spread of each colour."""
    groups = x.unflatten(0, (-1, 4))
    mean, spread = groups.mean((3, 4), keepdim=True), groups.std((3, 4), keepdim=True) + 4
    return ((groups - mean) / spread * spread[:, :1] + mean[:, :1]).flatten(0, 1)


def same_layout(x):
    """Groups of four with one coarse picture and different detail."""
    groups = x.unflatten(0, (-1, 4))
    coarse = F.interpolate(F.adaptive_avg_pool2d(x, 6), x.shape[-1], mode='bilinear').unflatten(0, (-1, 4))
    return (groups - coarse + 0.6 * coarse[:, :1] + 0.4 * coarse).flatten(0, 1)


def same_half(x, dice):
    """Groups of four that share the content of about half of the area."""
    groups = x.unflatten(0, (-1, 4))
    n, size = len(groups), x.shape[-1]
    axis = torch.linspace(-1, 1, size)
    angle = dice.uniform(0, 2 * math.pi, n, 1, 1)
    side = torch.cos(angle) * axis[None, None, :] + torch.sin(angle) * axis[None, :, None] + dice.uniform(-0.2, 0.2, n, 1, 1)
    mask = torch.sigmoid(side * torch.exp(dice.uniform(1, 4, n, 1, 1)))[:, None, None]
    return (groups[:, :1] * mask + groups * (1 - mask)).flatten(0, 1)


def composed(x, dice):
    """One picture beside, or before, another: cut or faded along coarse shapes."""
    n, size = len(x), x.shape[-1]
    coarse = dice.normal(n, 1, 4, 4)
    mask = F.interpolate(coarse, size, mode='bicubic') * torch.exp(dice.uniform(0, 3.5, n, 1, 1, 1))
    return torch.lerp(x, x.roll(1, 0), torch.sigmoid(mask))


# --- geometry --------------------------------------------------------------------------------------------------------

def windows(n, dice):
    """[n, 2, 3]: which part of the 96 pixels the picture is, at least two thirds of the side."""
    scale = dice.uniform(0.67, 1, n)
    place = dice.uniform(-1, 1, n, 2) * (1 - scale)[:, None]
    window = torch.zeros(n, 2, 3)
    window[:, 0, 0] = window[:, 1, 1] = scale
    window[:, :, 2] = place
    return window


def motions(n, dice, strength):
    """[n, 2, 3]: from a place of the copy to a place of the original, both from -1 to 1; zero, one or two motions each."""
    angle = torch.zeros(n)
    scale = torch.ones(n, 2)
    place = torch.zeros(n, 2)
    kind = dice.uniform(0, 1, n)
    both = dice.chance(0.2, n)
    cropped = (kind < 0.33) | (both & dice.chance(0.4, n))
    share = 0.26 * dice.uniform(0, 1, n) ** 0.8 * strength
    share = torch.where(cropped, share, torch.zeros(n))
    scale = scale * (1 - 2 * share)[:, None]
    off_centre = dice.chance(0.3, n)[:, None] * dice.uniform(-0.6, 0.6, n, 2)
    place = place + 2 * share[:, None] * off_centre
    shifted = ((kind >= 0.33) & (kind < 0.60)) | (both & dice.chance(0.35, n))
    by = dice.uniform(-0.54, 0.54, n, 2) * strength
    single = dice.below(3, n)[:, None]
    by = torch.where((single == 0) | (torch.arange(2) == single - 1), by, torch.zeros(1))
    by = torch.where((single == 0), by * 0.6, by)
    place = place + by * shifted[:, None]
    turned = ((kind >= 0.60) & (kind < 0.76)) | (both & dice.chance(0.4, n))
    angle = torch.where(turned, dice.uniform(-13, 13, n) * strength * (math.pi / 180), angle)
    framed = (kind >= 0.76) & (kind < 0.87)
    wide = dice.uniform(0.05, 0.42, n) * strength
    room = torch.stack([wide, wide], 1) * torch.tensor([[1.0, 1.0], [1.0, 0.0], [0.0, 1.0]])[dice.below(3, n)]
    scale = torch.where(framed[:, None], scale * (1 + room), scale)
    place = torch.where(framed[:, None], place + room * dice.uniform(-1, 1, n, 2) * dice.chance(0.5, n, 1), place)
    aspect = torch.exp(dice.uniform(-0.08, 0.08, n) * strength * dice.chance(0.2, n))
    scale = scale * torch.stack([aspect, 1 / aspect], 1)
    cos, sin = torch.cos(angle), torch.sin(angle)
    motion = torch.stack([cos * scale[:, 0], sin * scale[:, 1], place[:, 0], -sin * scale[:, 0], cos * scale[:, 1], place[:, 1]], 1)
    return motion.view(n, 2, 3)


def grid(matrix, side):
    return F.affine_grid(matrix, (len(matrix), 1, side, side), align_corners=False)


def sample(x, places, mode='bilinear'):
    return F.grid_sample(x, places, mode=mode, padding_mode='border', align_corners=False)


def moved(x, window, dice, strength, side, nearest):
    """The copy's pixels: the motion inside the window, and beyond the window's border black, another colour or the edge."""
    n = len(x)
    motion = motions(n, dice, strength)
    places = grid(motion, side)
    inside = places.abs().amax(-1) <= 1 + 0.5 / side
    keeps_edge = dice.chance(0.08, n)
    inside = (inside | keeps_edge[:, None, None])[:, None]
    places = places.clamp(-1, 1) * window[:, None, None, [0, 1], [0, 1]] + window[:, None, None, :, 2]
    y = sample(x, places, 'nearest' if nearest else 'bilinear')
    return torch.where(inside, y, fills(n, dice, side))


def fills(n, dice, side):
    """[n, 3, 1 or side, side]: what lies beyond the border; mostly black, else a colour, with a bar above at times."""
    kind = dice.uniform(0, 1, n, 1, 1, 1)
    colour = torch.where(kind < 0.55, torch.zeros(1), torch.where(kind < 0.75, dice.uniform(0, 255, n, 1, 1, 1), dice.uniform(0, 255, n, 3, 1, 1)))
    colour = torch.where(kind > 0.93, torch.full((1,), 245.0), colour).expand(n, 3, side, 1)
    bar = (torch.arange(side).view(1, 1, side, 1) < dice.uniform(0, 0.12, n, 1, 1, 1) * side) & (kind > 0.6)
    return torch.where(bar, dice.uniform(0, 255, n, 3, 1, 1), colour)


# --- light and colour ------------------------------------------------------------------------------------------------

def hue_matrix(angle):
    """[n, 3, 3]: a turn around the grey axis."""
    cos, sin = torch.cos(angle)[:, None, None], torch.sin(angle)[:, None, None] / math.sqrt(3)
    across = torch.tensor([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]])
    return cos * torch.eye(3) + (1 - cos) / 3 * torch.ones(3, 3) + sin * across


def toned(x, dice, strength):
    """Brightness, contrast, saturation, hue, colour cast and gamma of some pictures."""
    n = len(x)
    own = dice.some(n, 0.58)
    y, m = x[own], len(own)
    saturation = torch.ones(m) + (dice.uniform(-1, 1, m) * strength) * dice.chance(0.35, m)
    saturation = torch.where(dice.chance(0.2 * strength, m), torch.zeros(m), saturation)[:, None, None]
    mix = saturation * torch.eye(3) + (1 - saturation) * LUMA.expand(m, 3, 3)
    mix = hue_matrix(dice.uniform(-0.7, 0.7, m) * strength * dice.chance(0.25, m)) @ mix
    bright = torch.exp(dice.uniform(-0.4, 0.33, m) * strength * dice.chance(0.4, m))[:, None, None]
    contrast = torch.exp(dice.uniform(-0.9, 0.4, m) * strength * dice.chance(0.45, m))[:, None, None]
    flat = y.flatten(2)
    mean = (flat.mean(2) @ LUMA)[:, None, None]
    flat = torch.baddbmm((1 - contrast) * mean * bright + 22 * strength * dice.uniform(-1, 1, m, 1, 1) * dice.chance(0.25, m, 1, 1)
                         + 14 * strength * dice.uniform(-1, 1, m, 3, 1) * dice.chance(0.15, m, 1, 1), mix * (contrast * bright), flat)
    flat = flat.clamp(0, 255)
    curved = dice.some(m, 0.12)
    gamma = torch.exp(dice.uniform(-0.4, 0.4, len(curved)) * strength)[:, None, None]
    flat[curved] = 255 * (flat[curved] / 255) ** gamma
    x[own] = flat.view_as(y)
    return x


# --- things laid over ------------------------------------------------------------------------------------------------

def boxes(low, high, side):
    """[n, k, side]: 1 where a pixel lies between low and high (from 0 to 1) along one axis."""
    place = (torch.arange(side) + 0.5) / side
    return ((place >= low[..., None]) & (place < high[..., None])).float()


def overlaid(x, dice, strength):
    """One to three rectangles of a colour, of noise, or of another picture: 2 to 22 % of the area together."""
    own = dice.some(len(x), 0.28)
    y, m, side = x[own], len(own), x.shape[-1]
    count = dice.below(3, m)[:, None] + 1
    area = (0.02 + 0.21 * strength * dice.uniform(0, 1, m, 1) ** 0.7) * torch.where(dice.chance(0.6, m, 1), torch.ones(1), 1.0 / count)
    count = torch.where(area > 0.11, torch.ones(1, dtype=torch.long), count)
    aspect = torch.exp(dice.uniform(-0.7, 0.7, m, 3))
    wide, high = (area * aspect).sqrt().clamp(max=0.95), (area / aspect).sqrt().clamp(max=0.95)
    left, top = dice.uniform(0, 1, m, 3) * (1 - wide), dice.uniform(0, 1, m, 3) * (1 - high)
    kind = dice.uniform(0, 1, m, 1, 1, 1)
    colour = torch.where(kind < 0.75, dice.uniform(0, 255, m, 3, 1, 1), y.roll(1, 0))
    colour = colour + 60 * dice.normal(m, 1, side, side) * (kind > 0.93)
    across, down = boxes(left, left + wide, side), boxes(top, top + high, side)
    here = (torch.arange(3) < count).float()
    covered = torch.einsum('nk,nky,nkx->nyx', here, down, across)[:, None] > 0
    x[own] = torch.where(covered, colour, y)
    return x


def squared(x, dice):
    """Thirty small squares: each colour up or down a little, or each of a colour of its own."""
    own = dice.some(len(x), 0.08)
    y, m, side = x[own], len(own), x.shape[-1]
    size = torch.where(dice.chance(0.5, m, 1), torch.full((1,), 1 / 16), dice.uniform(0.03, 0.11, m, 1))
    left, top = dice.uniform(0, 1, m, 30) * (1 - size), dice.uniform(0, 1, m, 30) * (1 - size)
    across, down = boxes(left, left + size, side), boxes(top, top + size, side)
    opaque = dice.chance(0.65, m, 1, 1)
    value = torch.where(opaque, dice.uniform(0, 255, m, 30, 3), 12 * dice.below(2, m, 30, 3).float() * 2 - 12)
    total = torch.einsum('nkc,nky,nkx->ncyx', value, down, across)
    count = torch.einsum('nky,nkx->nyx', down, across)[:, None]
    x[own] = torch.where(opaque[..., None], torch.where(count > 0, total / count.clamp(min=1), y), y + total)
    return x


def text_bank():
    """float [48, 64, 64] from 0 to 1: words in several sizes at the middle of the left border."""
    rng = np.random.default_rng(7)
    bank = []
    for i in range(48):
        image = Image.new('L', (2 * SIDE, 2 * SIDE))
        letters = ''.join(chr(c) for c in rng.integers(65, 91, size=rng.integers(3, 11)))
        size = int(min(2 * SIDE / len(letters) * rng.uniform(1, 1.7), 60))
        draw = ImageDraw.Draw(image)
        for line in range(1 if size > 18 else rng.integers(1, 4)):
            draw.text((rng.integers(2, 10), 40 + line * size), letters, fill=255, font=ImageFont.load_default(size), stroke_width=int(rng.integers(0, 2)))
        bank.append(np.asarray(image.reduce(2), np.float32) / 255)
    return torch.from_numpy(np.stack(bank))


TEXTS = []


def written(x, dice):
    """Words in white, black or a colour, with the opposite as a shadow."""
    if not TEXTS:
        TEXTS.append(text_bank())
    own = dice.some(len(x), 0.08)
    m, side = len(own), x.shape[-1]
    ink = torch.where(dice.chance(0.3, m, 1), dice.uniform(0, 255, m, 3), 255.0 * dice.below(2, m, 1))[:, :, None, None]
    mask = TEXTS[0][dice.below(48, m)][:, None]
    if side != SIDE:
        mask = F.avg_pool2d(mask, SIDE // side)
    mask = torch.stack([one.roll(int(by), 1) for one, by in zip(mask, dice.below(side, m))]) if m else mask
    shadow = mask.roll((1, 1), (2, 3)) * dice.chance(0.6, m, 1, 1, 1)
    x[own] = torch.lerp(torch.lerp(x[own], 255 - ink, shadow), ink, mask)
    return x


# --- grain -----------------------------------------------------------------------------------------------------------

def blurred(x, dice, sigma):
    """Gaussian blur of some pictures, by a matrix for each."""
    own = dice.some(len(x), 0.16)
    m, side = len(own), x.shape[-1]
    width = dice.uniform(0.25, sigma, m, 1, 1)
    place = torch.arange(side, dtype=torch.float32)
    kernel = torch.exp(-((place[:, None] - place) ** 2) / (2 * width * width))
    kernel = (kernel / kernel.sum(2, keepdim=True))[:, None]
    x[own] = kernel @ x[own] @ kernel.transpose(2, 3)
    return x


def grainy(x, dice, sigma):
    """Gaussian or sign noise on some pictures."""
    own = dice.some(len(x), 0.27)
    y, m = x[own], len(own)
    noise = dice.normal(*y.shape)
    noise = torch.where(dice.chance(0.2, m, 1, 1, 1), noise.sign() * 0.6, noise)
    x[own] = y + noise * sigma * dice.uniform(0, 1, m, 1, 1, 1)
    return x


def dct_matrix():
    k = torch.arange(8, dtype=torch.float32)
    matrix = torch.cos((2 * k[None, :] + 1) * k[:, None] * math.pi / 16) / 2
    matrix[0] /= math.sqrt(2)
    return matrix


DCT = dct_matrix()
TABLES = torch.tensor([
    [16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
     18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99],
    [17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99] + [99] * 32,
], dtype=torch.float32).view(2, 8, 8)
TO_YCC = torch.tensor([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])
FROM_YCC = torch.linalg.inv(TO_YCC)


def blocks(plane, table):
    """Planes [n, h, w] cut into blocks of 8 x 8, rounded in the cosine domain by a table [n, 8, 8], put together again."""
    n, h, w = plane.shape
    cut = plane.view(n, h // 8, 8, w // 8, 8).transpose(2, 3)
    table = table[:, None, None]
    rounded = torch.round(DCT @ cut @ DCT.T / table) * table
    return (DCT.T @ rounded @ DCT).transpose(2, 3).reshape(n, h, w)


def compressed(x, dice, low):
    """JPEG at some quality, colours at half the resolution, of some pictures."""
    own = dice.some(len(x), 0.2)
    y, m, side = x[own].clamp(0, 255), len(own), x.shape[-1]
    quality = dice.uniform(low, 95, m)
    scale = torch.where(quality < 50, 50 / quality, 2 - quality / 50)[:, None, None, None]
    tables = (TABLES * scale).clamp(1, 255)
    ycc = (TO_YCC @ y.flatten(2)).view(m, 3, side, side)
    luma = blocks(ycc[:, 0] - 128, tables[:, 0]) + 128
    half = F.avg_pool2d(ycc[:, 1:], 2).flatten(0, 1)
    colour = blocks(half, tables[:, 1].repeat_interleave(2, 0)).view(m, 2, side // 2, side // 2)
    colour = F.interpolate(colour, side, mode='bilinear')
    x[own] = (FROM_YCC @ torch.cat([luma[:, None], colour], 1).flatten(2)).view_as(y)
    return x


# --- pairs -----------------------------------------------------------------------------------------------------------

def pair(pictures, generator, small, strength=1.0):
    return tuple(views(pictures, generator, small, 1, strength))


def views(pictures, generator, small, copies, strength=1.0):
    """The clean view of each picture and some changed ones."""
    dice = Dice(generator)
    n = len(pictures)
    window = windows(n, dice)
    side = SIDE // 2 if small else SIDE
    clean = sample(pictures, grid(window, side)).round_()
    if small:  # the changes know nothing beyond the 32 pixels
        pictures, window = clean, torch.eye(2, 3).expand(n, 2, 3)
    made = [clean] + [changed(pictures, window, dice, small, strength) for _ in range(copies)]
    return [enlarged(one) for one in made] if small else made


def enlarged(x):
    return F.interpolate(x, SIDE, mode='bilinear', align_corners=False).round_()


def changed(start, window, dice, small, strength):
    side = SIDE // 2 if small else SIDE
    half = len(start) // 4 if small else 0  # rotation tools often take the nearest pixel
    parts = [moved(part, view, dice, strength, side, nearest) for part, view, nearest in
             ((start[:half], window[:half], True), (start[half:], window[half:], False)) if len(part)]
    x = overlaid(toned(torch.cat(parts), dice, strength), dice, strength)
    x = written(squared(x, dice), dice)
    x = blurred(x, dice, (2.3 if small else 1.2) * strength)
    x = grainy(x, dice, (21.0 if small else 6.0) * strength).clamp_(0, 255).round_()
    return compressed(x, dice, 20 if small else 35).clamp_(0, 255).round_()


def batch(pictures, count, generator, strength=1.0):
    """count new pictures as pairs of views; the first half as photos, the second as small pictures."""
    half = count // 2
    photos = pair(identities(pictures, half, generator), generator, False, strength)
    small = pair(identities(pictures, count - half, generator, True), generator, True, strength)
    return torch.cat([photos[0], small[0]]), torch.cat([photos[1], small[1]])
