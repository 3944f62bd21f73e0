/** Command lines of `monitaur`, run in this process. */
import { Readable, Writable } from 'node:stream'
import { main } from '../../src/server/main.ts'
import { until } from './until.ts'

type Env = Readonly<Record<string, string>>

/** A stream that keeps what is written to it. */
export class Capture extends Writable {
  text = ''
  override _write(chunk: Buffer, _encoding: string, done: () => void) {
    this.text += chunk.toString()
    done()
  }
}

/** Runs a command line to its end. */
export async function runCli(argv: readonly string[], env: Env = {}) {
  const [stdout, stderr] = [new Capture(), new Capture()]
  const code = await main(argv, { stdin: Readable.from([]), stdout, stderr, env, now: () => 0 })
  return { code, out: stdout.text, err: stderr.text }
}

export interface RunningServer {
  /** Such as `http://127.0.0.1:41234`. */
  readonly origin: string
  /** Stops it; resolves to its exit code. */
  stop(): Promise<number>
  /** Its log so far. */
  // biome-ignore lint/suspicious/noExplicitAny: lines are looked at field by field in tests
  lines(): any[]
}

/** `monitaur serve` on a free port, with these options, until it is stopped. */
export async function startServer(argv: readonly string[] = [], env: Env = {}): Promise<RunningServer> {
  const [stdout, stderr] = [new Capture(), new Capture()]
  const interrupt = new AbortController()
  const io = { stdin: Readable.from([]), stdout, stderr, env, now: () => 0, interrupted: interrupt.signal }
  const ended = main(['serve', '--port', '0', ...argv], io)
  const origin = await until(() => /^monitaur: (http:\/\/\S+)\/\n/.exec(stdout.text)?.[1])
  return {
    origin,
    stop() {
      interrupt.abort()
      return ended
    },
    lines: () =>
      stderr.text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
  }
}
