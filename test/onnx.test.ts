/** Real models on onnxruntime in Node: WASM, and the native runtime. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { Pixels } from '../src/core/index.ts'
import { decodeImage } from '../src/embed/image.ts'
import { COPY_NET } from '../src/embed/onnx/copyNetWeights.ts'
import { readGraph } from '../src/embed/onnx/graph.ts'
import { copyNet, type FromOnnxOptions, fromOnnx } from '../src/embed/onnx/index.ts'
import { dataDir, hasData } from './tools/data.ts'
import { random } from './tools/random.ts'

const RESNET = 'models/image/cifar10/cifar10_resnet20.onnx'
const MOBILENET = 'models/image/mobilenetv2-imagenet/mobilenetv2_int8_logits_features.onnx'
const DYNAMIC = 'models/image/mobilenetv2-imagenet/mobilenetv2_quant.onnx'
const MNIST = 'models/image/mnist/mnist.onnx'

const backends = ['native', 'wasm'] as const

/** Smooth pictures with noise, of several sizes. */
function pictures(count: number): Pixels[] {
  const next = random(99)
  return Array.from({ length: count }, () => {
    const [width, height] = [40 + Math.floor(next() * 100), 40 + Math.floor(next() * 100)]
    const [across, down, level] = [next() * 2, next() * 2, next() * 60]
    const data = new Uint8Array(width * height * 3)
    for (let i = 0; i < data.length; i++) {
      const at = Math.floor(i / 3)
      data[i] = Math.min(
        255,
        level + across * (at % width) + down * Math.floor(at / width) + 20 * (i % 3) + next() * 25,
      )
    }
    return { data, width, height, channels: 3 }
  })
}

function largest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length)
  return Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0)
}

test('the weights in the library are those of models/copy-net.onnx', async () => {
  const file = await readFile(new URL('../models/copy-net.onnx', import.meta.url))
  expect(COPY_NET === file.toString('base64')).toBe(true) // else run node scripts/embed-model.mjs
})

describe.each(backends)('our network on %s', (backend) => {
  test('gives vectors of unit length, and says what it runs on', async () => {
    const embedder = copyNet({ backend })
    const [vector] = await Promise.all(pictures(1).map((picture) => embedder(picture)))
    expect(Math.abs(Math.hypot(...Array.from(vector!)) - 1)).toBeLessThan(1e-5)
    const capabilities = await embedder.capabilities()
    expect(capabilities).toMatchObject({ backend, threads: 1, simd: true, isolated: false, refused: [], recoveries: 0 })
    await embedder.dispose()
  })

  test('gives one picture the same vector alone and in a batch, in the order of the calls', async () => {
    const embedder = copyNet({ backend })
    const some = pictures(11)
    const together = await Promise.all(some.map((picture) => embedder(picture)))
    for (const [i, picture] of some.entries()) expect(largest(await embedder(picture), together[i]!)).toBeLessThan(1e-6)
    expect(largest(together[0]!, together[1]!)).toBeGreaterThan(1e-3)
    await embedder.dispose()
  })
})

test('WASM and the native runtime differ little in the vectors of our network', async () => {
  const [native, wasm] = backends.map((backend) => copyNet({ backend }))
  for (const picture of pictures(20)) expect(largest(await native!(picture), await wasm!(picture))).toBeLessThan(1e-6)
  await Promise.all([native!.dispose(), wasm!.dispose()])
})

test('warming up tells of progress, and a disposed embedder loads again', async () => {
  const embedder = copyNet({ backend: 'wasm' })
  expect(await embedder.capabilities()).not.toHaveProperty('backend')
  const seen: (readonly [string, number])[] = []
  const options = { onProgress: (event: { phase: string; overall: number }) => seen.push([event.phase, event.overall]) }
  expect((await embedder.warmup(options)).backend).toBe('wasm')
  expect(seen.map(([phase]) => phase)).toEqual(['compile', 'ready'])
  expect(seen.at(-1)![1]).toBe(1)
  const [picture] = pictures(1)
  const before = await embedder(picture!)
  await embedder.dispose()
  expect(await embedder.capabilities()).not.toHaveProperty('backend')
  expect(await embedder(picture!)).toEqual(before)
  await embedder.dispose()
})

test('calls in flight are answered before the model is freed', async () => {
  const embedder = copyNet({ backend: 'wasm' })
  const calls = pictures(12).map((picture) => embedder(picture))
  const gone = embedder.dispose()
  expect((await Promise.all(calls)).map(({ length }) => length)).toEqual(Array.from({ length: 12 }, () => 129))
  await gone
})

test('an aborted call leaves the others in its batch alone', async () => {
  const embedder = copyNet({ backend: 'wasm' })
  await embedder.warmup()
  const control = new AbortController()
  const [a, b, c] = pictures(3)
  const alone = await embedder(c!)
  const calls = [embedder(a!), embedder(b!, { signal: control.signal }), embedder(c!)]
  control.abort()
  const [first, second, third] = await Promise.allSettled(calls)
  expect(second).toMatchObject({ status: 'rejected', reason: { code: 'aborted' } })
  expect(first!.status).toBe('fulfilled')
  expect(largest((third as PromiseFulfilledResult<Float32Array>).value, alone)).toBeLessThan(1e-6)
  await embedder.dispose()
})

test('a bad picture fails alone', async () => {
  const embedder = copyNet({ backend: 'wasm' })
  const [a, b] = pictures(2)
  const bad = { ...a!, width: 7 }
  const results = await Promise.allSettled([embedder(a!), embedder(bad), embedder(b!)])
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(results[1]).toMatchObject({ reason: { code: 'bad_query' } })
  await embedder.dispose()
})

describe('any model', () => {
  const cifar = { input: 'pixels', size: 32, mean: [0.4914, 0.4822, 0.4465], std: [0.2023, 0.1994, 0.201] } as const
  const options = (path: string): FromOnnxOptions => ({ ...cifar, model: join(dataDir(), path), backend: 'native' })

  test.skipIf(!hasData(RESNET))('loads from a path, a URL and bytes', async () => {
    const path = join(dataDir(), RESNET)
    const [picture] = pictures(1)
    const vectors: ArrayLike<number>[] = []
    for (const model of [path, pathToFileURL(path), pathToFileURL(path).href, new Uint8Array(await readFile(path))]) {
      const embedder = fromOnnx({ ...cifar, model, backend: 'native', output: 'features' })
      vectors.push(await embedder(picture!))
      await embedder.dispose()
    }
    expect(vectors.map(({ length }) => length)).toEqual([64, 64, 64, 64])
    expect(new Set(vectors.map((vector) => Array.from(vector).join())).size).toBe(1)
  })

  test.skipIf(!hasData(RESNET))('gives an inner tensor by its name: averaged, it is the features', async () => {
    const graph = readGraph(await readFile(join(dataDir(), RESNET)))
    expect(graph.outputs).toEqual(['logits', 'features'])
    const inner = innerBefore(await readFile(join(dataDir(), RESNET)))
    for (const backend of backends) {
      const [maps, features] = [inner, 'features'].map((output) =>
        fromOnnx({ ...options(RESNET), output, backend } as never),
      )
      const [picture] = pictures(1)
      const planes = await maps!(picture as never)
      const means = await features!(picture as never)
      const area = planes.length / means.length
      expect(area).toBe(64)
      const averaged = Array.from({ length: 64 }, (_, c) => average(Array.from(planes).slice(c * area, (c + 1) * area)))
      expect(largest(averaged, means)).toBeLessThan(1e-5)
      await Promise.all([maps!.dispose(), features!.dispose()])
    }
  })

  test.skipIf(!hasData(RESNET))('refuses a tensor that is not there, with the names that are', async () => {
    const embedder = fromOnnx({ ...options(RESNET), output: 'feature' } as never)
    await expect(embedder(pictures(1)[0] as never)).rejects.toMatchObject({
      code: 'bad_config',
      message: expect.stringMatching(/no tensor "feature".*'logits', 'features'/),
    })
  })

  test.skipIf(!hasData(MOBILENET))('MobileNetV2 names the class of most photos, and gives its features', async () => {
    const mobilenet = {
      model: join(dataDir(), MOBILENET),
      input: 'pixels',
      shorterSide: 256,
      size: 224,
      mean: [0.485, 0.456, 0.406],
      std: [0.229, 0.224, 0.225],
      backend: 'native',
    } as const
    const classes = fromOnnx({ ...mobilenet, output: 'output' })
    expect(await accuracy(classes)).toBeGreaterThanOrEqual(0.8) // 0.9; without mean and std 0.5, without scale 0
    const features = fromOnnx({ ...mobilenet, output: 'features' })
    expect(await features(pictures(1)[0]!)).toHaveLength(1280)
    await Promise.all([classes.dispose(), features.dispose()])
  })

  test.skipIf(!hasData(DYNAMIC))('a model that is quantized while it runs is never batched', async () => {
    const common = { input: 'pixels', size: 224, backend: 'native' } as const
    const embedder = fromOnnx({ ...common, model: join(dataDir(), DYNAMIC) })
    const some = pictures(3)
    const together = await Promise.all(some.map((picture) => embedder(picture)))
    for (const [i, picture] of some.entries()) expect(await embedder(picture)).toEqual(together[i])
    await embedder.dispose()
  })

  test.skipIf(!hasData(MNIST))('a model whose batch is fixed takes one at a time, grey', async () => {
    const model = join(dataDir(), MNIST)
    const embedder = fromOnnx({ model, input: 'pixels', size: 28, mean: [0], scale: 1, backend: 'native' })
    const vectors = await Promise.all(pictures(5).map((picture) => embedder(picture)))
    expect(vectors.map(({ length }) => length)).toEqual([10, 10, 10, 10, 10])
    await embedder.dispose()
  })

  test.skipIf(!hasData(RESNET))('inputs made by a function must fit, and the error tells both sides', async () => {
    const embedder = fromOnnx<number>({
      model: join(dataDir(), RESNET),
      backend: 'native',
      input: (side) => ({ input: { data: new Float32Array(3 * side * side), dims: [1, 3, side, side] } }),
    })
    const [good, bad] = await Promise.allSettled([embedder(32), embedder(31)])
    expect(good!.status).toBe('fulfilled')
    expect(bad).toMatchObject({
      reason: {
        code: 'embedder_failed',
        message: "the input 'input' must be float32 [batch, 3, 32, 32], got float32 [1, 3, 31, 31]",
      },
    })
    await embedder.dispose()
  })

  test('a file that is no model says what it is', async () => {
    const page = new TextEncoder().encode('<!doctype html><html></html>')
    for (const [model, words] of [
      [page, /HTML|web page/],
      [new Uint8Array(0), /empty/],
      [new Uint8Array(100).fill(0xff), /damaged/],
    ] as const) {
      const embedder = fromOnnx({ model, input: 'thumbnail', backend: 'native' })
      await expect(embedder(pictures(1)[0]!)).rejects.toMatchObject({
        code: 'model_unavailable',
        message: expect.stringMatching(words),
      })
    }
  })

  test('another digest is refused before the runtime is loaded', async () => {
    const embedder = fromOnnx({ model: Uint8Array.of(1, 2, 3), sha256: '0'.repeat(64), input: 'thumbnail' })
    await expect(embedder.warmup()).rejects.toMatchObject({ code: 'model_mismatch' })
  })

  test.each<[string, Record<string, unknown>]>([
    ['size', { size: 0 }],
    ['shorterSide', { shorterSide: 100 }],
    ['mean', { mean: [1, 2] }],
    ['std', { std: [1] }],
    ['std[1]', { std: [1, 0, 1] }],
    ['layout', { layout: 'CHW' }],
    ['backend', { backend: 'cuda' }],
    ['threads', { threads: 0 }],
    ['maxBatch', { maxBatch: 0 }],
    ['input', { input: 'image' }],
    ['sized', { sized: 1 }],
    ['artifacts.wsm', { artifacts: { wsm: '/' } }],
  ])('refuses a wrong %s', (path, wrong) => {
    const make = () => fromOnnx({ model: new Uint8Array(1), input: 'pixels', size: 224, ...wrong } as never)
    expect(make).toThrow(expect.objectContaining({ code: 'bad_config', path }))
  })

  test('describes itself as JSON, unless it holds bytes or a function', () => {
    const url = new URL('https://models.example/m.onnx')
    const common = { input: 'thumbnail', onEvent: () => {} } as const
    expect(fromOnnx({ ...common, model: url, maxBatch: 2 }).description).toEqual({
      from: 'onnx',
      model: 'https://models.example/m.onnx',
      input: 'thumbnail',
      maxBatch: 2,
    })
    expect(fromOnnx({ ...common, model: new Uint8Array(1) }).description).toBeUndefined()
    expect(fromOnnx({ model: url, input: () => ({}) }).description).toBeUndefined()
    expect(copyNet({ backend: 'wasm' }).description).toEqual({ from: 'copyNet', backend: 'wasm' })
  })
})

function average(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length
}

/** The tensor that the features are the mean of: what the node before the last pooling gives. */
function innerBefore(model: Uint8Array): string {
  const { tensors } = readGraph(model)
  const names = [...tensors]
  return names[names.indexOf('features') - 1]!
}

/** Share of the first 20 photos of the sample whose class is the largest score. */
async function accuracy(
  embedder: (picture: Pixels) => ArrayLike<number> | Promise<ArrayLike<number>>,
): Promise<number> {
  const folder = join(dataDir(), 'images/imagenet-sample')
  const [, ...lines] = (await readFile(join(folder, 'labels.csv'), 'utf8')).trim().split('\n')
  const photos = lines.slice(0, 20).map((line) => line.split(','))
  let right = 0
  for (const [file, label] of photos) {
    const scores = Array.from(await embedder(await decodeImage(new Uint8Array(await readFile(join(folder, file!))))))
    if (scores.indexOf(Math.max(...scores)) === Number(label)) right++
  }
  return right / photos.length
}
