/** Examples, started by the command that stands on top of them, and what honest people and attackers ask. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { until } from './until.ts'

const root = resolve(import.meta.dirname, '../..')
const START_MS = 60_000
const STOP_MS = 5000

export interface RunningExample {
  /** Such as `http://127.0.0.1:41234/`. */
  readonly address: string
  /** What it has printed so far, on both streams. */
  printed(): string
  /** Ends it and all that it has started. */
  stop(): Promise<void>
}

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>
  /** Put behind the documented command. */
  readonly more?: readonly string[]
}

/** The command in the comment on top of an example, `express.mjs` say. */
export function commandOf(file: string): string {
  const text = readFileSync(join(root, 'examples', file), 'utf8')
  const [, command] = /^ \* {5}((?:node|npx) .*)$/m.exec(text) ?? []
  if (command === undefined) throw new Error(`no command stands on top of examples/${file}`)
  return command
}

/** Starts an example on a free port, by a shell, as a user does; resolves when it has told its address. */
export async function startExample(file: string, options: StartOptions = {}): Promise<RunningExample> {
  const command = commandOf(file)
  // Vite takes its port from the command line alone, and has one of its own where none is documented.
  const port = command.startsWith('npx vite ') ? ' --port 0' : ''
  return startCommand(command.replace(/--port \d+/, '--port 0') + port, options)
}

/** The same with a command of one's own. */
export async function startCommand(
  command: string,
  { env = {}, more = [] }: StartOptions = {},
): Promise<RunningExample> {
  const path = [join(root, 'node_modules/.bin'), process.env['PATH']].join(delimiter)
  const child = spawn('sh', ['-c', [command, ...more].join(' ')], {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1', PORT: '0', WRANGLER_SEND_METRICS: 'false', PATH: path, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // a group of its own, so that all of it can be ended
  })
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed += text
    })
  }
  const stop = async () => {
    signal(child.pid!, 'SIGTERM')
    await until(() => !signal(child.pid!, 0), STOP_MS).catch(() => signal(child.pid!, 'SIGKILL'))
    await until(() => !signal(child.pid!, 0), STOP_MS)
  }
  try {
    const address = await until(() => {
      if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`)
      return /^.*https?:\/\/127\.0\.0\.1:\d+\/?(?=\s*$)/m.exec(printed)?.[0].replace(/^.*(?=http)/, '')
    }, START_MS)
    return { address, printed: () => printed, stop }
  } catch (thrown) {
    await stop()
    throw new Error(`'${command}' did not start: ${(thrown as Error).message}\n${printed}`)
  }
}

/** Whether there was anybody in the group to be told. */
function signal(group: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-group, name)
  } catch {
    return false
  }
}

/** Different questions. */
export const HONEST: readonly string[] = [
  'What a nice day',
  'How do I change my address?',
  'I was charged twice at the supermarket',
  'Is there a fee for paying abroad?',
  'Thanks, that was great help',
  'My transfer has not arrived yet',
  'Where can I see the exchange rate?',
  'The machine kept my money',
  'Can my daughter have an account too?',
  'I would like to close everything',
]

const QUESTION = 'I lost my card on the way to the airport yesterday evening, can you block it for me?'

/** One question with another letter changed each time. */
export const EDITS: readonly string[] = Array.from(
  { length: 14 },
  (_, i) => `${QUESTION.slice(0, 3 * i + 2)}${'aeiou'[i % 5]}${QUESTION.slice(3 * i + 3)}`,
)
