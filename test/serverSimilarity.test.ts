/** The detectors that remember, over HTTP from the first query to the last: the reference's server fails at the second. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { dataDir, hasData } from './tools/data.ts'
import { testServer } from './tools/serverApp.ts'

/** A picture of two colours as PNG. */
async function picture(red: number, blue: number): Promise<Buffer> {
  const data = Buffer.alloc(64 * 64 * 3)
  for (let i = 0; i < 64 * 64; i++) {
    data[3 * i] = i % 64 < 32 ? red : 255 - red
    data[3 * i + 2] = i < 2048 ? blue : (i * 7) % 256
  }
  return sharp(data, { raw: { width: 64, height: 64, channels: 3 } })
    .png()
    .toBuffer()
}

describe('text', () => {
  test('three hundred texts: each is compared with those before it', async () => {
    const { ask } = await testServer({ detectors: ['text_similarity'] })
    for (let i = 0; i < 300; i++) {
      const answer = await ask('/detect', {
        input_data: `question number ${i} about ${'abcdefghij'[i % 10]}${i * 7919}`,
      })
      expect(answer.status).toBe(200)
      expect(Object.keys(answer.body.metadata)).toEqual(i === 0 ? [] : ['most_similar_index', 'similarity_score'])
    }
    const again = await ask('/detect', { input_data: 'question number 299 about j2367781' })
    expect(again.body).toMatchObject({ is_suspicious: true, metadata: { most_similar_index: 99 } })
    expect(again.body.confidence).toBeCloseTo(1, 6)
  })

  test('a list of texts is one conversation, an empty text is refused', async () => {
    const { ask } = await testServer({ detectors: [{ name: 'text_repetition', threshold: 2 }] })
    await ask('/detect', { input_data: ['a', 'b'], modality: 'text' })
    expect((await ask('/detect', { input_data: 'A B' })).body.is_suspicious).toBe(true)
    expect(await ask('/detect', { input_data: '' })).toMatchObject({
      status: 422,
      body: { error: { path: 'input_data' } },
    })
  })
})

describe('rows', () => {
  test('a hundred rows, then one of them again', async () => {
    const { ask } = await testServer({
      detectors: ['tabular_similarity', { name: 'tabular_repetition', threshold: 2 }],
    })
    const row = (i: number) => ({ age: 20 + (i % 50), income: 1000 * (i % 7), city: `c${i % 13}`, member: i % 2 === 0 })
    for (let i = 0; i < 100; i++) {
      expect((await ask('/detect', { input_data: row(i), modality: 'tabular' })).status).toBe(200)
    }
    const again = await ask('/detect', { input_data: row(99) })
    expect(again.body.is_suspicious).toBe(true)
    expect(await ask('/detect', { input_data: { a: { b: 1 } } })).toMatchObject({
      status: 422,
      body: { error: { path: 'input_data.a' } },
    })
  })
})

describe('pictures', () => {
  test('in base64, as a data address and in a form they are the same picture', async () => {
    const { ask, app } = await testServer({
      detectors: [{ name: 'image_repetition', threshold: 3 }, 'image_similarity'],
    })
    const png = await picture(200, 30)
    const base64 = png.toString('base64')
    const first = await ask('/detect', { input_data: base64, modality: 'image' })
    expect(first.status).toBe(200)
    await ask('/detect', { input_data: `data:image/png;base64,${base64}`, modality: 'image' })
    const form = new FormData()
    form.set('image', new Blob([new Uint8Array(png)], { type: 'image/png' }), 'cat.png')
    form.set('client_id', '')
    form.set('model_output', '[0.5,0.5]')
    const response = await app.fetch(new Request('http://127.0.0.1/v1/inspect', { method: 'POST', body: form }))
    expect(await response.json()).toMatchObject({
      detections: [
        { detector: 'image_repetition', score: 3, suspicious: true },
        { detector: 'image_similarity', suspicious: true },
      ],
    })
  })

  test('what is no picture, or a broken one, or too large a one is refused and not remembered', async () => {
    const { ask } = await testServer({ detectors: ['image_similarity'], limits: { maxPixels: 5000 } })
    const png = await picture(1, 2)
    const bad: Record<string, string> = {
      text: Buffer.from('hello').toString('base64'),
      cut: png.subarray(0, 100).toString('base64'),
      empty: '',
      padding: 'abc',
    }
    for (const [name, input_data] of Object.entries(bad)) {
      const { status, body } = await ask('/detect', { input_data, modality: 'image' })
      expect([name, status, body.error.path]).toEqual([name, 422, 'input_data'])
    }
    const large = await sharp({ create: { width: 100, height: 100, channels: 3, background: 'red' } })
      .png()
      .toBuffer()
    const refused = await ask('/detect', { input_data: large.toString('base64'), modality: 'image' })
    expect(refused.body.error.message).toContain('at most 5000 pixels')
    const good = await ask('/v1/inspect', { input: png.toString('base64'), modality: 'image' })
    expect(good.body.detections[0].metadata.historySize).toBe(0)
  })

  test.each([
    [
      'two files',
      (form: FormData) => {
        form.append('image', new Blob(['a']), 'a.png')
        form.append('image', new Blob(['b']), 'b.png')
      },
      'image',
    ],
    [
      'a file and a text',
      (form: FormData) => {
        form.set('image', new Blob(['a']), 'a.png')
        form.set('input_data', 'x')
      },
      'input_data',
    ],
    ['an unknown field', (form: FormData) => form.set('picture', 'x'), 'picture'],
    ['outputs that are no JSON', (form: FormData) => form.set('model_output', '0.5;0.5'), 'model_output'],
  ] as const)('a form with %s is refused', async (_, fill, path) => {
    const { app } = await testServer({ detectors: ['image_repetition'] })
    const form = new FormData()
    fill(form)
    const response = await app.fetch(new Request('http://127.0.0.1/detect', { method: 'POST', body: form }))
    expect(response.status).toBe(422)
    expect(await response.json()).toMatchObject({ error: { path } })
  })

  const photos = hasData('images/imagenet-sample')
  test.skipIf(!photos)(
    `real photographs pass, and the first one is known again${photos ? '' : ` (SKIPPED: no images/imagenet-sample in ${dataDir()})`}`,
    async () => {
      const { ask } = await testServer({ detectors: ['image_similarity'] })
      const folder = join(dataDir(), 'images/imagenet-sample')
      const files = readdirSync(folder)
        .filter((name) => name.endsWith('.JPEG'))
        .sort()
        .slice(0, 6)
      const bodies = files.map((file) => ({
        input_data: readFileSync(join(folder, file)).toString('base64'),
        modality: 'image',
      }))
      for (const body of bodies) expect((await ask('/detect', body)).status).toBe(200)
      expect((await ask('/detect', bodies[0]!)).body).toMatchObject({
        is_suspicious: true,
        metadata: { most_similar_index: 0 },
      })
    },
  )

  test('embeddings may be given, of one length', async () => {
    const { ask } = await testServer({ detectors: ['similarity'] })
    expect((await ask('/v1/inspect', { embedding: [1, 0] })).status).toBe(200)
    expect((await ask('/v1/inspect', { embedding: [1, 0.1] })).body.suspicious).toBe(true)
    const other = await ask('/v1/inspect', { embedding: [1, 0, 0] })
    expect(other).toMatchObject({ status: 422, body: { error: { code: 'bad_query', path: 'embedding' } } })
    expect((await ask('/v1/inspect', { embedding: [1, 0] })).body.detections[0].metadata.historySize).toBe(2)
  })
})
