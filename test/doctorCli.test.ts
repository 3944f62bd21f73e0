/** `monitaur doctor`, called as the command line does. */
import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { main } from '../src/server/main.ts'

async function run(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
  const code = await main(argv, { stdin, stdout, stderr, env: {}, now: () => 0 })
  return { code, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') }
}

describe('monitaur doctor', () => {
  test('says a line for each thing it looked at, and 0 when a backend works', async () => {
    const { code, out, err } = await run('doctor')
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(/^ok {3}WebAssembly: /m)
    expect(out).toMatch(/^ok {3}runtime of native: onnxruntime-node 1\.30\.0$/m)
    expect(out).toMatch(/^ok {3}runtime of wasm: onnxruntime-web 1\.30\.0$/m)
  })

  test('--json gives the same as objects', async () => {
    const { out } = await run('doctor', '--json', '--backend', 'wasm')
    const checks = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(checks).toContainEqual({ name: 'runtime of wasm', ok: true, found: 'onnxruntime-web 1.30.0', remedy: '' })
    expect(checks.some(({ name }) => name === 'runtime of native')).toBe(false)
  })

  test('a backend that is not there is told with the remedy, and 2', async () => {
    const { code, out } = await run('doctor', '--backend', 'webgpu')
    expect(code).toBe(2)
    expect(out).toMatch(/^no {3}/m)
  })

  test('a wrong option is told, and 1', async () => {
    expect(await run('doctor', '--backend', 'cuda')).toMatchObject({
      code: 1,
      err: expect.stringContaining("--backend: must be native, wasm or webgpu, got 'cuda'"),
    })
  })

  test('--help tells the exit codes', async () => {
    expect((await run('doctor', '--help')).out).toMatch(
      /exit codes: 0 models can run · 1 wrong use · 2 no backend works/,
    )
  })
})
