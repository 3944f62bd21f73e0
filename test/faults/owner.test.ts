/** The worker answers its owner and nobody else. */
import { afterEach, describe, expect, test, vi } from 'vitest'
import { serveWorker } from '../../src/worker/index.ts'

type Listener = (event: { data: unknown; origin?: string; ports: readonly MessagePort[] }) => void

/** An endpoint whose messages can come from anywhere. */
function endpoint() {
  const listeners: Listener[] = []
  const answers: unknown[] = []
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  serveWorker({
    postMessage: (message: unknown) => answers.push(message),
    addEventListener: (_: string, listener: unknown) => listeners.push(listener as Listener),
    removeEventListener: () => {},
  } as never)
  const send = async (origin: string | undefined) => {
    const data = { id: 1, verb: 'hello', given: [] }
    for (const listener of listeners) listener({ data, ...(origin === undefined ? {} : { origin }), ports: [] })
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return { send, answers, warn }
}

afterEach(() => {
  vi.restoreAllMocks()
})

describe('a worker', () => {
  test.each(['', undefined])('answers a message without an origin (%s), as its maker sends them', async (origin) => {
    const { send, answers } = endpoint()
    await send(origin)
    expect(answers).toHaveLength(1)
  })

  test.each(['https://evil.example', 'null', 'http://127.0.0.1:8000', 'file://'])(
    'ignores one from the page %s',
    async (origin) => {
      const { send, answers } = endpoint()
      await send(origin)
      expect(answers).toEqual([])
    },
  )

  test('cannot be served on a window, to which every page may send', () => {
    const window = { document: {}, postMessage() {}, addEventListener() {}, removeEventListener() {} }
    expect(() => serveWorker(window as never)).toThrow(
      expect.objectContaining({ code: 'bad_config', path: 'endpoint' }),
    )
  })
})
