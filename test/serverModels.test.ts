/** Embedders with a model behind the server: loaded before it is ready, named in the metrics, and the same over HTTP. */
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { createMonitor } from '../src/embed/index.ts'
import { metric, testServer } from './tools/serverApp.ts'

const DETECTOR = { name: 'image_similarity', embedder: { from: 'copyNet', backend: 'wasm' }, threshold: 0.9 }

/** Smooth colours, different for each seed, as PNG. */
async function picture(seed: number, blur?: number): Promise<Uint8Array<ArrayBuffer>> {
  const size = 96
  const data = Uint8Array.from({ length: size * size * 3 }, (_, i) => {
    const [x, y, c] = [Math.floor(i / 3) % size, Math.floor(i / 3 / size), i % 3]
    return 127 + 60 * Math.sin((x * (seed + c + 1)) / 23) + 60 * Math.cos((y * (2 * seed + c + 1)) / 31)
  })
  const image = sharp(data, { raw: { width: size, height: size, channels: 3 } })
  return new Uint8Array(await (blur === undefined ? image : image.blur(blur)).png().toBuffer())
}

test('a model is loaded before the server says that it is ready, and its verdicts are those in process', async () => {
  const server = await testServer({ models: [{ name: 'photos', detectors: [DETECTOR] }] })
  const monitor = createMonitor({ detectors: [DETECTOR] })
  try {
    const before = await server.get('/ready')
    expect([before.status, await before.json()]).toEqual([503, { status: 'starting' }])
    expect(await server.exposition()).not.toContain('monitaur_backend_info{')
    await server.app.warmup()
    const after = await server.get('/ready')
    expect([after.status, await after.json()]).toEqual([200, { status: 'ready' }])
    expect(
      metric(
        await server.exposition(),
        'monitaur_backend_info{detector="image_similarity",model="photos",backend="wasm"}',
      ),
    ).toBe(1)
    expect(await (await server.get('/v1/status')).json()).toMatchObject({
      models: [{ name: 'photos', detectors: [{ label: 'image_similarity', backend: 'wasm' }] }],
    })

    const scores: number[] = []
    for (const bytes of [await picture(1), await picture(5), await picture(1, 1.2)]) {
      const input = Buffer.from(bytes).toString('base64')
      const { status, body } = await server.ask('/v1/inspect', { input, modality: 'image', client: 'c' })
      const expected = await monitor.inspect({ input: bytes, client: 'c' })
      expect(status).toBe(200)
      expect(body.detections).toEqual(expected.detections)
      scores.push(body.detections[0].score)
    }
    expect(scores[1]).toBeLessThan(0.9)
    expect(scores[2]).toBeGreaterThanOrEqual(0.9)
  } finally {
    await Promise.all([server.app.dispose(), monitor.dispose()])
  }
})

test('a model that cannot be loaded leaves the server alive and not ready, and says why', async () => {
  const embedder = { from: 'onnx', model: '/nowhere/model.onnx', input: 'pixels' }
  const server = await testServer({ detectors: [{ ...DETECTOR, embedder }] })
  try {
    await expect(server.app.warmup()).rejects.toMatchObject({
      code: expect.stringMatching(/^(model_unavailable|bad_config)$/),
    })
    expect((await server.get('/ready')).status).toBe(503)
    expect((await server.get('/health')).status).toBe(200)
    const input = Buffer.from(await picture(1)).toString('base64')
    const { status, body } = await server.ask('/v1/inspect', { input, modality: 'image' })
    expect(status).toBeGreaterThanOrEqual(400)
    expect(body.error.code).toMatch(/^(model_unavailable|bad_config)$/)
    expect(metric(await server.exposition(), 'detector_errors_total{detector="image_similarity"}')).toBe(1)
  } finally {
    await server.app.dispose()
  }
})
