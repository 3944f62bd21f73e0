/** Labelled data from files, and models that do not go with it: what is wrong is said before anything runs. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import sharp from 'sharp'
import { afterAll, describe, expect, test } from 'vitest'
import type { Shape } from '../../src/eval/index.ts'
import { openBench } from '../../src/eval/node/bench.ts'
import { openOnnxVictim, type Plan, readData } from '../../src/eval/node/index.ts'
import { chooseSources } from '../../src/eval/node/sources.ts'
import { SIDE, tinyPictureModel, tinyTextModel } from '../tools/tinyModel.ts'

const folder = mkdtempSync(join(tmpdir(), 'monitaur-data-'))
afterAll(() => rmSync(folder, { recursive: true }))

const SHAPE: Shape = { width: 32, height: 32, channels: 3 }

function file(name: string, content: Uint8Array | string): string {
  const path = join(folder, name)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, content)
  return path
}

describe('pictures in binary files', () => {
  test('of CIFAR-10 have their planes interleaved', async () => {
    const record = new Uint8Array(3073)
    record[0] = 7
    record.set([255, 51], 1) // red of the first two pixels
    record[1 + 1024] = 102 // green of the first
    const { items, shape, name } = await readData(file('a/some.bin', new Uint8Array([...record, ...record])), SHAPE)
    expect([items.length, items[1]!.label, shape, name]).toEqual([2, 7, SHAPE, 'some.bin'])
    expect(Array.from(items[0]!.input as Float64Array).slice(0, 6)).toEqual([1, 0.4, 0, 0.2, 0, 0])
    expect((await readData(join(folder, 'a'), SHAPE)).items).toHaveLength(2)
    await expect(readData(file('b.bin', new Uint8Array(3000)), SHAPE)).rejects.toThrow(/3073 bytes a picture.*got 3000/)
  })

  test('of MNIST have their labels beside them, packed or not', async () => {
    const head = (...words: number[]) =>
      words.flatMap((word) => [word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255])
    const images = Uint8Array.from([...head(0x803, 2, 1, 3), 0, 51, 255, 0, 0, 102])
    const labels = Uint8Array.from([...head(0x801, 2), 4, 9])
    const plain = file('t10k-images.idx3-ubyte', images)
    await expect(readData(plain, SHAPE)).rejects.toThrow('needs its labels in t10k-labels.idx1-ubyte')
    file('t10k-labels.idx1-ubyte', labels)
    const packed = file('train-images-idx3-ubyte.gz', gzipSync(images))
    file('train-labels-idx1-ubyte.gz', gzipSync(labels))
    for (const path of [plain, packed]) {
      const { items, shape } = await readData(path, SHAPE)
      expect(shape).toEqual({ width: 3, height: 1, channels: 1 })
      expect(items.map(({ label }) => label)).toEqual([4, 9])
      expect(Array.from(items[1]!.input as Float64Array)).toEqual([0, 0, 0.4])
    }
    file('t10k-labels.idx1-ubyte', labels.slice(0, 9))
    await expect(readData(plain, SHAPE)).rejects.toThrow('must hold 2 pictures of 1 × 3 and as many labels')
    file('t10k-labels.idx1-ubyte', images)
    await expect(readData(plain, SHAPE)).rejects.toThrow('must be an idx file that begins with 0x801')
  })
})

describe('a folder of pictures', () => {
  test('is brought to the size of the model', async () => {
    const halves = sharp({ create: { width: 64, height: 32, channels: 3, background: '#f00' } })
    file('photos/a b.png', await halves.png().toBuffer())
    file('photos/labels.csv', 'file,class\n"a b.png",3\n')
    const { items, shape } = await readData(join(folder, 'photos'), { width: 16, height: 16, channels: 3 })
    expect([items.length, items[0]!.label, shape.width]).toEqual([1, 3, 16])
    expect(Array.from(items[0]!.input as Float64Array).slice(0, 3)).toEqual([1, 0, 0])
    expect(items[0]!.input).toHaveLength(768)
  })

  test('says what it lacks', async () => {
    mkdirSync(join(folder, 'empty'))
    await expect(readData(join(folder, 'empty'), SHAPE)).rejects.toThrow(/empty: is empty/)
    file('bare/a.png', '')
    await expect(readData(join(folder, 'bare'), SHAPE)).rejects.toThrow('must have labels.csv, or one file *.bin')
    file('gap/labels.csv', 'file,class\nmissing.png,3\n')
    await expect(readData(join(folder, 'gap'), SHAPE)).rejects.toThrow("names 'missing.png', which is not there")
    file('words/labels.csv', 'file,class\na.png,cat\n')
    await expect(readData(join(folder, 'words'), SHAPE)).rejects.toThrow('line 2: the second field must be the number')
    file('broken/labels.csv', 'file,class\na.png,1\n')
    file('broken/a.png', 'no picture')
    await expect(readData(join(folder, 'broken'), SHAPE)).rejects.toThrow(/a\.png: /)
    await expect(readData(join(folder, 'nowhere'), SHAPE)).rejects.toThrow(/nowhere: is not there/)
    await expect(readData(file('a.txt', ''), SHAPE)).rejects.toThrow('must be *.bin')
  })
})

describe('a table', () => {
  const path = file('t.csv', 'age,"job, now",text,income\r\n44,clerk,"a ""b""\nc",low\n,nurse,d,high\n')

  test('is of rows, with numbers where all cells are', async () => {
    const { items, kind } = await readData(path, SHAPE)
    expect(kind).toBe('tabular')
    expect(items).toEqual([
      { input: { age: 44, 'job, now': 'clerk', text: 'a "b"\nc' }, label: 1 },
      { input: { age: null, 'job, now': 'nurse', text: 'd' }, label: 0 },
    ])
  })

  test('is of texts where their column is named', async () => {
    const { items, kind } = await readData(path, SHAPE, { column: 'text', classes: ['low', 'high'] })
    expect([kind, items]).toEqual([
      'text',
      [
        { input: 'a "b"\nc', label: 0 },
        { input: 'd', label: 1 },
      ],
    ])
  })

  test('says what does not fit', async () => {
    await expect(readData(path, SHAPE, { column: 'txt' })).rejects.toThrow(/no column 'txt'; .*text/)
    await expect(readData(path, SHAPE, { classes: ['low'] })).rejects.toThrow("the label 'high' is none of the classes")
    await expect(readData(file('u.csv', 'a,b\n1\n'), SHAPE)).rejects.toThrow('record 1 must have 2 fields')
    await expect(readData(file('v.csv', 'a,b\n'), SHAPE)).rejects.toThrow('at least one record')
  })
})

describe('an ONNX model', () => {
  const pictureModel = file('tiny.onnx', tinyPictureModel())
  const shape: Shape = { width: SIDE, height: SIDE, channels: 3 }

  test('tells its shape and its classes, and answers each picture by itself', async () => {
    const victim = await openOnnxVictim(pictureModel)
    expect(victim).toMatchObject({ name: 'tiny', kind: 'image', classes: 32, shape })
    const pictures = [0.1, 0.9].map((v) => new Float64Array(768).fill(v))
    const both = await victim.answer(pictures)
    const [alone] = await victim.answer([pictures[1]!])
    expect(Array.from(both[1]!)).toEqual(Array.from(alone!))
    expect(Array.from(both[0]!)).not.toEqual(Array.from(both[1]!))
  })

  test('is given pixels normalised as asked, by planes', async () => {
    const plain = await openOnnxVictim(pictureModel)
    const scaled = await openOnnxVictim(pictureModel, { scale: 2, mean: [0.1, 0.2, 0.3], std: [1, 2, 4] })
    const x = Float64Array.from({ length: 768 }, (_, i) => (i % 7) / 10)
    const y = x.map((v, i) => (2 * v - [0.1, 0.2, 0.3][i % 3]!) / [1, 2, 4][i % 3]!)
    const [[a], [b]] = [await scaled.answer([x]), await plain.answer([y])]
    for (const [k, value] of a!.entries()) expect(value).toBeCloseTo(b![k]!, 4)
    expect(scaled.hash).not.toBe(plain.hash)
  })

  test('says what is wrong with it', async () => {
    await expect(openOnnxVictim(join(folder, 'none.onnx'))).rejects.toThrow('must be an ONNX file, but there is none')
    await expect(openOnnxVictim(file('no.onnx', 'no model'))).rejects.toThrow('cannot be opened as a model')
    await expect(openOnnxVictim(file('text.onnx', tinyTextModel()))).rejects.toThrow(
      'must take one picture, float32 [batch, channels, height, width] with 1 or 3 channels; it takes input_ids: int64',
    )
    await expect(openOnnxVictim(pictureModel, { output: 'logits' })).rejects.toThrow("has no output 'logits'; it has")
    await expect(openOnnxVictim(pictureModel, { mean: [1, 2] })).rejects.toThrow('by 1 or 3 numbers, got 2')
  })

  const plan: Plan = {
    victims: [{ file: pictureModel }],
    data: 'toy',
    clients: { noise_copies: { name: 'noise_copies' } },
    detectors: {},
    seeds: [1],
    budget: 10,
    sources: 1,
  }
  const photos = async (label: number) => {
    const picture = await sharp({ create: { width: 16, height: 16, channels: 3, background: '#888' } })
      .png()
      .toBuffer()
    file(`set${label}/a.png`, picture)
    file(`set${label}/labels.csv`, `file,class\na.png,${label}\n`)
    return { path: join(folder, `set${label}`) }
  }

  test('must fit the data, in shape and labels', async () => {
    await expect(openBench(plan)).rejects.toThrow(
      'the model tiny takes pictures of 16 × 16 × 3, the data has 32 × 32 × 3',
    )
    await expect(openBench({ ...plan, data: await photos(32) })).rejects.toThrow(
      'input 1 has the label 32; labels must be in 0 … 31, the classes of tiny',
    )
    expect((await openBench({ ...plan, data: await photos(31) })).data.items).toHaveLength(1)
    const table = { path: file('w.csv', 'a,b\n1,0\n') }
    await expect(openBench({ ...plan, data: table })).rejects.toThrow(
      'the model tiny is for image, the data for tabular',
    )
  })

  test('and the rest of a plan must exist', async () => {
    const data = await photos(3)
    const open = (rest: Partial<Plan>) => openBench({ ...plan, data, ...rest })
    await expect(open({ clients: { a: { name: 'noise_copie' } } })).rejects.toThrow(/clients\.a: .*noise_copies/)
    const config = { deviance: 1 }
    await expect(open({ clients: { a: { name: 'noise_copies', config } } })).rejects.toThrow(/deviance.*deviation/)
    await expect(open({ detectors: { d: { name: 'text_similarity' } } })).rejects.toThrow('does not work on pictures')
    await expect(open({ victims: [] })).rejects.toThrow('name at least one model')
    await expect(open({ victims: [{ file: pictureModel }, { file: pictureModel }] })).rejects.toThrow(/two models/)
    await expect(open({ budget: 0 })).rejects.toThrow(/budget/)
  })
})

describe('the inputs to work on', () => {
  const plan: Plan = {
    victims: ['toy'],
    data: 'toy',
    clients: {},
    detectors: {},
    seeds: [1],
    budget: 10,
    sources: 6,
  }

  test('are those that the model gets right, as many a split, always the same', async () => {
    const bench = await openBench(plan)
    const victim = bench.victims[0]!
    const { sources, accuracy } = await chooseSources(bench, victim)
    expect(accuracy).toBeGreaterThan(0.7)
    expect(sources.map(({ split }) => split)).toEqual([...Array(6).fill('calibration'), ...Array(6).fill('heldout')])
    const answers = await victim.answer(sources.map(({ index }) => bench.data.items[index]!.input))
    for (const [n, { index }] of sources.entries()) {
      expect(answers[n]!.indexOf(Math.max(...answers[n]!))).toBe(bench.data.items[index]!.label)
    }
    const fewer = await chooseSources({ ...bench, plan: { ...plan, sources: 2, splits: ['heldout'] } }, victim)
    expect(fewer.sources).toEqual(sources.slice(6, 8))
  })

  test('leave out those that noise turns, if wanted', async () => {
    const bench = await openBench({ ...plan, sources: 100 })
    const all = (await chooseSources(bench, bench.victims[0]!)).sources
    const sturdy = await chooseSources(
      { ...bench, plan: { ...plan, sources: 100, fragile: 'drop' } },
      bench.victims[0]!,
    )
    const kept = new Set(sturdy.sources.map(({ index }) => index))
    expect(all.filter(({ index }) => !kept.has(index)).length).toBeGreaterThan(0)
  })
})
