import { spawn } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { afterAll, describe, expect, test } from 'vitest'
import { fromBytes } from '../src/core/index.ts'
import { parseRecord } from '../src/embed/index.ts'
import { InFlight } from '../src/server/inFlight.ts'
import { readLines } from '../src/server/lines.ts'
import { type Io, main } from '../src/server/main.ts'
import { printable, printableJson } from '../src/server/output.ts'
import { REPLAY_HELP, REPLAY_OPTIONS } from '../src/server/replayOptions.ts'
import { dataDir, hasData } from './tools/data.ts'

const folder = mkdtempSync(join(tmpdir(), 'monitaur-cli-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Writes a file into the folder of the tests. */
function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

class Capture extends Writable {
  text = ''
  isTTY = false
  override _write(chunk: Buffer, _encoding: string, done: () => void) {
    this.text += chunk.toString()
    done()
  }
}

/** Runs a command line in this process. */
async function run(argv: readonly string[], { stdin = '', tty = false, ...rest }: Partial<Options> = {}) {
  const [stdout, stderr] = [new Capture(), new Capture()]
  stdout.isTTY = tty
  const input = stdin instanceof Readable ? stdin : Readable.from([Buffer.from(stdin)])
  const code = await main(argv, { stdin: input, stdout, stderr, env: {}, now: () => 0, ...rest })
  return { code, out: stdout.text, err: stderr.text, rows: stdout.text.split('\n') }
}

interface Options extends Omit<Io, 'stdin'> {
  readonly stdin: string | Uint8Array | Readable
  /** stdout is a terminal. */
  readonly tty: boolean
}

const texts = (...detectors: string[]) => [
  'replay',
  '-',
  ...(detectors.length === 0 ? ['text_repetition'] : detectors).flatMap((name) => ['--detector', name]),
]
const summaryOf = (out: string) => JSON.parse(out.trimEnd().split('\n').at(-1)!).summary
const objects = (out: string) =>
  out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))

/** Why a test is skipped, for its name. */
const absent = (file: string) => (hasData(file) ? '' : ` (SKIPPED: no ${file} in ${dataDir()})`)

describe('the program', () => {
  test('it prints its version as package.json has it', async () => {
    const { version } = JSON.parse(readFileSync(resolve(import.meta.dirname, '../package.json'), 'utf8'))
    expect(await run(['--version'])).toMatchObject({ code: 0, out: `${version}\n`, err: '' })
  })

  test('help goes to stdout; without a command it goes to stderr and the exit code is 1', async () => {
    const asked = await run(['--help'])
    expect(asked).toMatchObject({ code: 0, err: '' })
    expect(asked.out).toContain('replay')
    expect(await run([])).toMatchObject({ code: 1, out: '', err: asked.out })
  })

  test('the help of replay names every option and the exit codes', async () => {
    const { code, out } = await run(['replay', '--help'])
    expect({ code, out }).toEqual({ code: 0, out: REPLAY_HELP })
    for (const name of Object.keys(REPLAY_OPTIONS)) expect(out).toContain(`--${name}`)
    expect(out).toMatch(/exit codes:\n {2}0 .*\n {2}1 .*\n {2}2 .*\n {2}130 /)
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100)
  })

  test.each([
    [['repaly'], "there is no command 'repaly'; did you mean 'replay'?"],
    [['toString'], "there is no command 'toString'; known are replay"],
    [['--versoin'], "there is no option '--versoin'; did you mean '--version'?"],
    [['replay', '-', '--detektor', 'x'], "there is no option '--detektor'; did you mean '--detector'?"],
    [['replay', '-', '--detector'], '--detector: needs a value'],
    [['replay', '-', '--detector', '--json'], '--detector: needs a value'],
    [['replay', '-', '--json=yes'], '--json: takes no value'],
    [['replay', '-', '--column', 'a', '--column', 'b'], '--column: must be given once'],
    [['replay', '-'], '--detector: is missing'],
    [['replay', '--detector', 'text_repetition'], 'name a file, a folder, or -'],
    [['replay', 'a', 'b', '--detector', 'text_repetition'], 'replays one file, got 2'],
    [['replay', '-', '--detector', 'text_repetitoin'], "did you mean 'text_repetition'?"],
    [[...texts(), '--threshold', 'high'], '--threshold: must be a number, got "high"'],
    [[...texts(), '--threshold', '-1'], 'must be a finite number in [1'],
    [[...texts(), '--threshold', ''], '--threshold: must be a number, got ""'],
    [[...texts('text_repetition', 'confidence'), '--threshold', '1'], 'Use --set text_repetition.threshold='],
    [[...texts('text_repetition', 'confidence'), '--set', 'threshold=1'], 'Use --set text_repetition.threshold='],
    [[...texts(), '--set', 'treshold=1'], "did you mean 'threshold'?"],
    [[...texts(), '--set', 'confidence.threshold=1'], "'confidence' is none of the detectors"],
    [[...texts(), '--set', '__proto__=1'], 'unknown key "__proto__"'],
    [[...texts(), '--set', 'name=confidence'], "'name' is what --detector says"],
    [[...texts(), '--set', 'threshold'], 'must be key=value'],
    [[...texts(), '--scope', 'all'], '--scope: must be client or global, got "all"'],
    [[...texts(), '--format', 'tsv'], '--format: must be csv or ndjson, got "tsv"'],
    [[...texts(), '--max-line-bytes', '0'], '--max-line-bytes: must be a number in [1'],
    [['replay', join(folder, 'none.csv'), '--detector', 'text_repetition'], 'cannot be read: no such file'],
    [['replay', folder, '--detector', 'text_repetition', '--rows'], 'is a folder of images'],
    [[...texts(), '--snapshot-in', join(folder, 'none')], 'cannot be read: no such file'],
  ])('%j is refused with exit code 1 and a remedy', async (argv, message) => {
    const { code, out, err } = await run(argv)
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toContain(message)
    expect(err).toMatch(/Try 'monitaur (replay )?--help'\.\n$/)
  })
})

describe('replaying NDJSON', () => {
  test('one line per query, then the summary', async () => {
    const { code, out, err } = await run([...texts(), '--threshold', '2'], { stdin: '"Hello"\n"world"\n" hello"\n' })
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toBe(
      [
        '     1  ok          text_repetition       1 < 2        Query repeated 1 times.                           "Hello"',
        '     2  ok          text_repetition       1 < 2        Query repeated 1 times.                           "world"',
        '     3  SUSPICIOUS  text_repetition       2 = 2        Query repeated 2 times.                           " hello"',
        '',
        'queries     3',
        'suspicious  text_repetition 1 (33.3 %)',
        'errors      0',
        'bad lines   0',
        'clients     1, 0 would be suspended',
        'time        0.00 s, 0 queries/s',
        '',
      ].join('\n'),
    )
  })

  test('as JSON each verdict stands on its line, and the summary on the last', async () => {
    const { code, out } = await run([...texts(), '--json', '--threshold', '2'], { stdin: '"a"\n\n"a"\n' })
    expect(code).toBe(0)
    const [first, second, last] = objects(out)
    expect(first).toMatchObject({ line: 1, verdict: { suspicious: false, timeMs: 0, client: { id: '' } } })
    expect(second).toMatchObject({ line: 3, verdict: { suspicious: true, detections: [{ score: 2, threshold: 2 }] } })
    expect(last.summary).toEqual({
      queries: 2,
      unjudged: 0,
      detectors: { text_repetition: { judged: 2, suspicious: 1, share: 0.5 } },
      errors: {},
      bad: { count: 0, lines: [] },
      actions: { allow: 1, flag: 1 },
      clients: { remembered: 1, suspended: 0 },
      elapsedMs: 0,
      queriesPerSecond: 0,
      interrupted: false,
    })
  })

  test('a text, a query and a request of the reference server are read as the same query', async () => {
    const stdin = [
      '"same"',
      '{"input":"same","client":"a","id":"q1","timeMs":7,"metadata":{"x":1}}',
      '{"input_data":"same","model_output":[0.5,0.5],"client_id":"b","modality":"text","metadata":null}',
      '{"modelOutput":[0.9,0.1]}',
    ].join('\n')
    const { code, out } = await run([...texts('text_repetition', 'confidence'), '--json'], { stdin })
    expect(code).toBe(0) // confidence misses a model output on the first two lines, but each line is judged by one
    const verdicts = objects(out).slice(0, -1)
    const scores = verdicts.map(({ verdict }) => verdict.detections.map((d: { score: number }) => d.score))
    expect(scores.map(([count]) => count).slice(0, 3)).toEqual([1, 2, 3])
    expect(scores[2][1]).toBeCloseTo(Math.log(2), 9)
    expect(verdicts[1].verdict).toMatchObject({ id: 'q1', timeMs: 7, client: { id: 'a' } })
    expect(verdicts[2].verdict).toMatchObject({ timeMs: 7, client: { id: 'b' } })
    expect(verdicts[3].verdict.skipped).toEqual(['text_repetition'])
  })

  test('an object without a key of a query is a row, and --rows makes one of any object', async () => {
    const argv = ['replay', '-', '--detector', 'tabular_repetition', '--json']
    const rows = '{"age":3,"job":"cook"}\n{"job":"cook","age":3.0}\n'
    expect(objects((await run(argv, { stdin: rows })).out)[1].verdict.detections[0].score).toBe(2)
    const withId = '{"id":1,"age":3}\n'
    const refused = await run(argv, { stdin: withId })
    expect(refused.err).toContain('has keys of a query and "age": a row goes as { "input": { … } } or with --rows')
    expect(refused.code).toBe(2)
    expect(await run([...argv, '--rows'], { stdin: withId })).toMatchObject({ code: 0, err: '' })
  })

  test('a column of rows can be the text and another one the client', async () => {
    const argv = [...texts(), '--column', 'question', '--client-column', 'user', '--scope', 'client', '--json']
    const stdin = '{"id":1,"question":"why","user":"a"}\n{"id":2,"question":"why","user":7}\n'
    const verdicts = objects((await run(argv, { stdin })).out).slice(0, 2)
    expect(verdicts.map(({ verdict }) => [verdict.client.id, verdict.detections[0].score])).toEqual([
      ['a', 1],
      ['7', 1],
    ])
  })

  test('bad lines are told with their number, counted, and the rest goes on', async () => {
    const long = JSON.stringify('x'.repeat(100))
    const head = [
      '"ok"',
      'not json',
      '[1]',
      '{"inptu":"x","client":"a"}',
      '{"input":"x","client":5}',
      '{"input":"a","input_data":"b"}',
    ]
    const stdin = Buffer.concat([
      Buffer.from(`${head.join('\n')}\n${long}\n"`),
      Buffer.from([0xff]),
      Buffer.from('"\n{"image":"a.png","input":"x"}\n"ok"'),
    ])
    const { code, out, err } = await run([...texts(), '--max-line-bytes', '60', '--json'], { stdin })
    expect(code).toBe(2)
    const told = err.trimEnd().split('\n')
    const expected = [
      [2, 'is not JSON'],
      [3, 'must be a query object, a row object or a text, got an array of 1'],
      [4, "did you mean 'input'?"],
      [5, 'client: must be'],
      [6, "is given twice, as 'input' too"],
      [7, 'is longer than 60 bytes'],
      [8, 'is not valid UTF-8'],
      [9, 'image: must not stand beside an input'],
    ] as const
    expect(told).toHaveLength(expected.length)
    for (const [i, [line, message]] of expected.entries()) {
      expect(told[i]).toMatch(new RegExp(`^standard input:${line}: .*\\(bad_query\\)$`))
      expect(told[i]).toContain(message)
    }
    expect(objects(out)[1]).toMatchObject({ line: 2, error: { code: 'bad_query', path: '' } })
    expect(summaryOf(out)).toMatchObject({
      queries: 2,
      bad: { count: 8, lines: [2, 3, 4, 5, 6, 7, 8, 9] },
      errors: { bad_query: 8 },
    })
    expect(objects(out).at(-2).verdict.detections[0].score).toBe(2)
  })

  test('the summary names the first ten bad lines and counts the others', async () => {
    const { out } = await run(texts(), { stdin: 'x\n'.repeat(25) })
    expect(out).toContain('bad lines   25: line 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 15 more\n')
  })

  test('queries that no detector can judge are errors and give exit code 2', async () => {
    const { code, out } = await run(texts(), { stdin: '{"age":3}\n"a"\n' })
    expect(code).toBe(2)
    expect(out).toMatch(/^ {5}1 {2}error {7}text_repetition .*age=3"\n/)
    expect(out).toContain('queries     2, 1 that no detector could judge\n')
    expect(out).toContain('suspicious  text_repetition 0 of 1 judged (0.0 %)\n')
  })

  test('--only-suspicious prints only those, and an error that it hides goes to stderr', async () => {
    const argv = [...texts(), '--only-suspicious', '--threshold', '2']
    const { out, err } = await run(argv, { stdin: '"a"\n{"age":3}\n"a"\n' })
    expect(out).toMatch(/^ {5}3 {2}SUSPICIOUS[^\n]*\n\nqueries/)
    expect(err).toMatch(/^standard input:2: text_repetition.input: .*\n$/)
    const asJson = await run([...argv, '--json'], { stdin: '"a"\nx\n"a"\n' })
    expect(objects(asJson.out).map((one) => one.line)).toEqual([3, undefined])
    expect(asJson.err).toContain('standard input:2: is not JSON')
  })

  test('of several detectors the most confident suspicious one is named, the others beside it', async () => {
    const argv = [...texts('text_similarity', 'text_repetition', 'confidence'), '--set', 'text_repetition.threshold=2']
    const { rows } = await run(argv, { stdin: '"same again"\n"same again"\n' })
    expect(rows[0]).toMatch(/^ {5}1 {2}error {7}confidence /)
    expect(rows[1]).toMatch(/SUSPICIOUS {2}text_\w+ .* · also text_\w+ · confidence failed: bad_query/)
  })

  test('values of --set are JSON or bare words', async () => {
    const argv = [...texts('confidence'), '--set', 'mode=margin', '--set', 'normalize=true', '--set', 'threshold=0.9']
    const { out } = await run([...argv, '--json'], { stdin: '{"modelOutput":[3,1]}\n' })
    expect(objects(out)[0].verdict.detections[0]).toMatchObject({ score: 0.5, threshold: 0.9 })
  })

  test('nothing from the data reaches a terminal as a control character', async () => {
    const evil = '\x1b]0;owned\x07\x9b2J\u202egnp.exe\u2028\r\n\x7f'
    const stdin = `${JSON.stringify(evil)}\n{"${'\u009b'}2J":1,"client":"x"}\n${evil.replace('\n', '')}\n`
    for (const argv of [
      texts(),
      [...texts(), '--json'],
      [...texts('repetition'), '--client-column', 'client', '--rows'],
    ]) {
      const { out, err } = await run(argv, { stdin, tty: true, env: { NO_COLOR: '1' } })
      expect((out + err).replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}]/u)
    }
  })

  test('there is colour on a terminal, but not with NO_COLOR, on a dumb one, or in a file', async () => {
    const coloured = (tty: boolean, env: Record<string, string>) =>
      run(texts(), { stdin: '"a"', tty, env }).then(({ out }) => out.includes('\x1b[32mok'))
    expect(await coloured(true, {})).toBe(true)
    expect(await coloured(true, { NO_COLOR: '' })).toBe(true)
    expect(await coloured(true, { NO_COLOR: '1' })).toBe(false)
    expect(await coloured(true, { TERM: 'dumb' })).toBe(false)
    expect(await coloured(false, {})).toBe(false)
  })

  test('--enforce shows the action, and a client that repeats itself is suspended', async () => {
    const argv = [...texts(), '--threshold', '1', '--enforce']
    const { out } = await run(argv, { stdin: '{"input":"a","client":"mallory"}\n'.repeat(11) })
    expect(out).toContain('     1  SUSPICIOUS  flag      text_repetition')
    expect(out).toContain('actions     flag 4, throttle 5, suspend 2\n')
    expect(out).toContain('clients     1, 1 suspended\n')
  })

  test('a replay gives the same output every time, also of queries without a time', async () => {
    const stdin = '"a"\n{"input":"a","timeMs":60000}\n"b"\n"a"\n'
    const runs = await Promise.all([1, 2].map(() => run([...texts('text_similarity'), '--json'], { stdin })))
    expect(runs[0]).toEqual(runs[1])
    expect(objects(runs[0]!.out).map((one) => one.verdict?.timeMs)).toEqual([0, 60000, 60000, 60000, undefined])
  })
})

describe('replaying CSV', () => {
  test('a column is the query, whatever its quoting, line ends and byte order mark', async () => {
    const csv = '\ufeff"text",n\r\n"a ""quoted"", comma",1\r\n"two\r\nlines",2\r\n\r\nplain 5" pipe,3\r\n"",4\r\n'
    const path = file('quoting.CSV', csv)
    const { code, out } = await run(['replay', path, '--detector', 'repetition', '--column', 'text'])
    const excerpts = [...out.matchAll(/^ +(\d+) {2}ok .*? {2}"(.*)"$/gm)].map(([, line, text]) => [line, text])
    expect(excerpts).toEqual([
      ['2', 'a "quoted", comma'],
      ['3', 'two\\r\\nlines'],
      ['6', 'plain 5" pipe'],
    ])
    expect(out).toMatch(/^ {5}7 {2}(ok|error)/m) // an empty text is a query too
    expect([0, 2]).toContain(code)
  })

  test('without a column each line is a row, an empty cell is null, and numbers are told by their form', async () => {
    const path = file('rows.csv', 'age,job,user\n1.50,cook,a\n1.5,cook,b\n,cook,c\n')
    const argv = ['replay', path, '--detector', 'tabular_repetition', '--client-column', 'user', '--json']
    const { code, out } = await run(argv)
    expect(code).toBe(0)
    const verdicts = objects(out).slice(0, -1)
    expect(verdicts.map(({ verdict }) => verdict.detections[0].score)).toEqual([1, 2, 1])
    expect(verdicts.map(({ verdict }) => verdict.client.id)).toEqual(['a', 'b', 'c'])
    expect(summaryOf(out).clients.remembered).toBe(3)
  })

  test('a line with too many or too few fields, or a bad quote, is a bad line', async () => {
    const path = file('ragged.csv', 'a,b\n1,2\n1\n1,2,3\n"1"x,2\n3,4\n"open,5\n6,7\n')
    const { code, err, out } = await run(['replay', path, '--detector', 'tabular_repetition', '--json'])
    expect(code).toBe(2)
    expect(err.trimEnd().split('\n')).toEqual([
      'ragged.csv:3: must have 2 fields like the header, got 1 (bad_query)',
      'ragged.csv:4: must have 2 fields like the header, got 3 (bad_query)',
      'ragged.csv:5: field 1 goes on after its closing quote; write a quote inside a quoted field twice (bad_query)',
      'ragged.csv:7: field 1 is opened by a quote and never closed (bad_query)',
    ])
    expect(summaryOf(out)).toMatchObject({ queries: 2, bad: { count: 4, lines: [3, 4, 5, 7] } })
  })

  test.each([
    ['an empty file', '', [], 'is empty: the first line must name the columns'],
    [
      'a column that is not there',
      'text,n\na,1\n',
      ['--column', 'txt'],
      "--column: the file has no such column; did you mean 'text'?",
    ],
    [
      'a client column that is not there',
      'text,n\na,1\n',
      ['--client-column', 'who'],
      '--client-column: the file has no such',
    ],
    ['a column named twice', 'a,a\n1,2\n', [], 'the column "a" occurs twice'],
    ['a header with a bad quote', '"a"b\n1\n', [], 'the header field 1 goes on after its closing quote'],
  ])('%s ends the replay with exit code 1', async (_, csv, more, message) => {
    const { code, out, err } = await run([...texts(), '--format', 'csv', ...more], { stdin: csv })
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toContain(message)
  })
})

/** A PNG of one pixel. */
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

describe('replaying images', () => {
  const images = join(folder, 'images')
  mkdirSync(join(images, 'sub'), { recursive: true })
  for (const name of ['b.png', 'a.PNG', 'notes.txt', 'sub/c.png']) writeFileSync(join(images, name), PNG)
  file('secret.png', PNG)
  symlinkSync(join(folder, 'secret.png'), join(images, 'link.png'))

  test('the images of a folder are queries in the order of their names, and a link out of it is a bad line', async () => {
    const { code, out, err } = await run(['replay', images, '--detector', 'image_repetition'])
    expect(code).toBe(2)
    expect([...out.matchAll(/"(.*)"$/gm)].map(([, name]) => name)).toEqual(['a.PNG', 'b.png'])
    expect(err).toBe('images:3: image: must lie in the folder of the data, but a link leads out of it (bad_query)\n')
  })

  test('a folder without images is refused', async () => {
    mkdirSync(join(folder, 'empty'))
    expect(await run(['replay', join(folder, 'empty'), '--detector', 'image_repetition'])).toMatchObject({ code: 1 })
  })

  test('images named in NDJSON are read from below its folder, and from nowhere else', async () => {
    const names = [
      'b.png',
      'sub/c.png',
      'link.png',
      '../secret.png',
      'sub/../../secret.png',
      join(folder, 'secret.png'),
    ]
    const lines = [...names, 'none.png', 'sub', 'nul\0.png', '', 7, 'C:\\x.png', '..\\secret.png']
    writeFileSync(join(images, 'q.ndjson'), lines.map((image) => JSON.stringify({ image, client: 'a' })).join('\n'))
    const { code, out, err } = await run([
      'replay',
      join(images, 'q.ndjson'),
      '--detector',
      'image_repetition',
      '--json',
    ])
    expect(code).toBe(2)
    expect(summaryOf(out)).toMatchObject({ queries: 2, unjudged: 0, bad: { count: 11 } })
    expect(objects(out)[1].verdict.detections[0].score).toBe(2)
    expect(
      err
        .trimEnd()
        .split('\n')
        .map((line) => line.replace(/^q.ndjson:(\d+): image: | \(bad_query\)$/g, '')),
    ).toEqual([
      'must lie in the folder of the data, but a link leads out of it',
      ...Array(3).fill("must lie in the folder of the data: a relative path without '..'"),
      'cannot be read: no such file',
      'must be a regular file',
      'cannot be read: ERR_INVALID_ARG_VALUE',
      ...Array(2).fill('must be the name of a file'),
      ...Array(2).fill("must lie in the folder of the data: a relative path without '..'"),
    ])
  })
})

describe('snapshots', () => {
  test('a replay continues from the state that an earlier one wrote', async () => {
    const state = join(folder, 'state.bin')
    expect((await run([...texts(), '--snapshot-out', state], { stdin: '"a"\n"a"\n' })).code).toBe(0)
    expect(fromBytes(new Uint8Array(readFileSync(state))).detector).toBe('monitor')
    const { out } = await run([...texts(), '--snapshot-in', state, '--json'], { stdin: '"a"\n' })
    expect(objects(out)[0].verdict.detections[0].score).toBe(3)
  })

  test('a damaged snapshot, or one of other detectors, is refused', async () => {
    const damaged = file('damaged.bin', 'MTSN nonsense')
    const first = await run([...texts(), '--snapshot-in', damaged], { stdin: '"a"' })
    expect(first).toMatchObject({ code: 1, out: '' })
    const other = join(folder, 'other.bin')
    await run([...texts('text_similarity'), '--snapshot-out', other], { stdin: '"a"' })
    const second = await run([...texts(), '--snapshot-in', other], { stdin: '"a"' })
    expect(second).toMatchObject({ code: 1, out: '' })
    expect(second.err).toContain('is of other detectors')
  })

  test('a snapshot that cannot be written ends with exit code 1 after the summary, and leaves nothing behind', async () => {
    const before = readdirSync(folder).length
    const { code, out, err } = await run([...texts(), '--snapshot-out', folder], { stdin: '"a"' })
    expect(code).toBe(1)
    expect(out).toContain('queries     1')
    expect(err).toContain('cannot be written')
    expect(readdirSync(folder)).toHaveLength(before)
  })
})

describe('streams', () => {
  test('an interrupt prints the summary so far, writes no snapshot and exits with 130', async () => {
    const interrupt = new AbortController()
    const stdin = new Readable({ read() {} })
    stdin.push('"a"\n"b"\n"c')
    const state = join(folder, 'interrupted.bin')
    const running = run([...texts(), '--json', '--snapshot-out', state], { stdin, interrupted: interrupt.signal })
    setTimeout(() => interrupt.abort(), 50)
    const { code, out } = await running
    expect(code).toBe(130)
    expect(summaryOf(out)).toMatchObject({ queries: 2, interrupted: true })
    expect(existsSync(state)).toBe(false)
  })

  test('a reader that goes away ends the replay quietly, though the input has no end', async () => {
    const stdin = Readable.from(
      (function* () {
        for (;;) yield Buffer.from('"a"\n')
      })(),
    )
    let writes = 0
    const stdout = new Writable({
      write(_chunk, _encoding, done) {
        done(++writes < 5 ? null : Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
      },
    })
    const { code, err } = await run(texts(), { stdin, stdout })
    expect({ code, err }).toEqual({ code: 0, err: '' })
  })

  test('a full disk behind stdout is an error', async () => {
    const stdout = new Writable({
      write: (_chunk, _encoding, done) =>
        done(Object.assign(new Error('ENOSPC: full'), { code: 'ENOSPC', syscall: 'write' })),
    })
    const { code, err } = await run(texts(), { stdin: '"a"\n'.repeat(100), stdout })
    expect(code).toBe(1)
    expect(err).toContain('ENOSPC')
  })

  test('a slow reader holds the input back', async () => {
    let given = 0
    let taken = 0
    let most = 0
    const stdin = Readable.from(
      (function* () {
        for (; given < 500; given++) yield Buffer.from('"a"\n')
      })(),
      { highWaterMark: 1 },
    )
    const stdout = new Writable({
      highWaterMark: 1,
      write(_chunk, _encoding, done) {
        taken++
        most = Math.max(most, given - taken)
        setImmediate(done)
      },
    })
    expect((await run(texts(), { stdin, stdout })).code).toBe(0)
    expect(given).toBe(500)
    expect(most).toBeLessThan(80) // 64 in flight, and what the streams themselves hold
  })

  test('a verdict is printed as soon as it is there, before more input comes', async () => {
    const stdin = new Readable({ read() {} })
    const printed = new Promise<void>((resolve) => {
      const stdout = new Writable({
        write(chunk, _encoding, done) {
          if (String(chunk).includes('"first"')) resolve()
          done()
        },
      })
      void run(texts(), { stdin, stdout })
    })
    stdin.push('"first"\n')
    await printed
    stdin.push(null)
  })

  test('progress goes to a stderr that is a terminal, unless the output goes there too or --quiet is given', async () => {
    const path = file('progress.ndjson', '"a"\n'.repeat(10))
    const drawn = async (more: string[], stdoutTty: boolean) => {
      const stderr = new Capture()
      stderr.isTTY = true
      await run(['replay', path, '--detector', 'text_repetition', ...more], { tty: stdoutTty, stderr })
      return stderr.text
    }
    expect(await drawn([], false)).toContain('100 %')
    expect(await drawn([], true)).toBe('')
    expect(await drawn(['--quiet'], false)).toBe('')
  })

  test('a long replay tells a log of its progress in lines', async () => {
    let ms = 0
    const { err } = await run(texts(), { stdin: '"a"\n'.repeat(20), now: () => (ms += 100) })
    expect(err).toMatch(/^80 B, \d+ B\/s, \d+ queries, \d+ suspicious\n$/)
  })
})

describe('lines', () => {
  const chunked = (bytes: Buffer, size: number) =>
    Readable.from(
      (function* () {
        for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size)
      })(),
    )
  const all = async (text: string, size: number, options: { maxBytes?: number; quotes?: boolean } = {}) => {
    const lines: unknown[] = []
    for await (const line of readLines(chunked(Buffer.from(text), size), { maxBytes: 20, ...options })) {
      lines.push(line.kind === 'line' ? [line.number, Buffer.from(line.bytes).toString()] : [line.number])
    }
    return lines
  }

  test.each([1, 2, 3, 7, 100])('cut into chunks of %d bytes they are the same', async (size) => {
    expect(await all('\ufeffone\r\n\ntwö\n  \nlast', size)).toEqual([
      [1, 'one'],
      [2, ''],
      [3, 'twö'],
      [4, '  '],
      [5, 'last'],
    ])
    expect(await all('a,"b\n""c"",\r\n"\r\n"x"\ny"\nz\n"open\n\n', size, { quotes: true })).toEqual([
      [1, 'a,"b\n""c"",\r\n"'],
      [4, '"x"'],
      [5, 'y"'],
      [6, 'z'],
      [7, '"open\n\n'],
    ])
  })

  test.each([1, 5, 100])('one that is too long is told and dropped, in chunks of %d bytes', async (size) => {
    const [fits, long] = ['x'.repeat(20), 'x'.repeat(21)]
    expect(await all(`${fits}\r\n${long}\r\n${long}\nshort\n${'y'.repeat(500)}`, size)).toEqual([
      [1, fits],
      [2],
      [3],
      [4, 'short'],
      [5],
    ])
    expect(await all(`"${'a\n'.repeat(50)}"\nnext\n`, size, { quotes: true })).toEqual([[1], [52, 'next']])
  })

  test('an empty stream has none, and a byte order mark alone makes none', async () => {
    expect(await all('', 1)).toEqual([])
    expect(await all('\ufeff', 1)).toEqual([])
    expect(await all('a', 1)).toEqual([[1, 'a']])
  })
})

describe('CSV records', () => {
  test.each([
    ['a,b', ['a', 'b']],
    ['', ['']],
    [',', ['', '']],
    ['a,', ['a', '']],
    ['"a,b",c', ['a,b', 'c']],
    ['"say ""hi""",""', ['say "hi"', '']],
    ['""""', ['"']],
    ['"line\nbreak"', ['line\nbreak']],
    ['5" pipe, "x"', ['5" pipe', ' "x"']],
  ])('%j has the fields %j', (record, fields) => {
    expect(parseRecord(record)).toEqual(fields)
  })

  test.each(['"a', 'a,"b""', '"a"b', '"a" ,b'])('%j is refused', (record) => {
    expect(() => parseRecord(record)).toThrow(/^field \d (is opened|goes on)/)
  })
})

describe('work in flight', () => {
  test('it is finished in the order it was added, however long each piece takes', async () => {
    const finished: number[] = []
    const flight = new InFlight<number>(async (n) => void finished.push(n), { maxCount: 10, maxBytes: 1e9 })
    for (const n of [3, 1, 2]) await flight.add(new Promise((done) => setTimeout(() => done(n), n * 5)), 0)
    await flight.drain()
    expect(finished).toEqual([3, 1, 2])
  })

  test('more bytes than allowed wait for the earlier ones, and a piece that is too heavy goes alone', async () => {
    const finished: string[] = []
    const flight = new InFlight<string>(async (name) => void finished.push(name), { maxCount: 10, maxBytes: 10 })
    await flight.add(Promise.resolve('a'), 6)
    expect(finished).toEqual([])
    await flight.add(new Promise((done) => setTimeout(() => done('b'), 5)), 6)
    expect(finished).toEqual(['a'])
    await flight.add(Promise.resolve('c'), 100)
    expect(finished).toEqual(['a', 'b', 'c'])
  })

  test('the first failure is what draining rejects with, and nothing is finished after it', async () => {
    const finished: number[] = []
    const flight = new InFlight<number>(async (n) => void finished.push(n), { maxCount: 10, maxBytes: 10 })
    await flight.add(Promise.resolve(1), 0)
    await flight.add(Promise.reject(new Error('broken')), 0)
    await flight.add(Promise.resolve(2), 0)
    await expect(flight.drain()).rejects.toThrow('broken')
    expect(finished).toEqual([1])
  })
})

describe('text from data', () => {
  test('control, direction, invisible and lone surrogate characters are shown as escapes, others as they are', () => {
    expect(printable('a\n\t\x1b[0m\u202e\u200b\ud800é漢😀')).toBe('a\\n\\t\\u{1b}[0m\\u{202e}\\u{200b}\\u{d800}é漢😀')
  })

  test('escaped JSON has the same value', () => {
    const value = { '\x9b': 'a\n\x1b\u202e\u{e0041}😀\ud800"\\' }
    expect(JSON.parse(printableJson(value))).toEqual(value)
    expect(printableJson(value)).toMatch(/^[\x20-\x7e😀]*$/u)
  })
})

const cli = resolve(import.meta.dirname, '../dist/cli.js')

describe('the built program', () => {
  const start = (argv: string[], program = cli) => {
    const child = spawn(process.execPath, [program, ...argv])
    let [out, err] = ['', '']
    child.stdout.on('data', (chunk) => {
      out += chunk
    })
    child.stderr.on('data', (chunk) => {
      err += chunk
    })
    const ended = new Promise<{ code: number | null; out: string; err: string }>((done) => {
      child.on('close', (code) => done({ code, out, err }))
    })
    return { child, ended }
  }

  test('it replays standard input', async () => {
    const { child, ended } = start([...texts(), '--json'])
    child.stdin.end('"a"\n"a"\nbad\n')
    const { code, out, err } = await ended
    expect(code).toBe(2)
    expect(objects(out)[1].verdict.detections[0].score).toBe(2)
    expect(err).toMatch(/^standard input:3: is not JSON.*\n$/)
  })

  test('it knows its version, also when started through a link', async () => {
    const { version } = JSON.parse(readFileSync(resolve(import.meta.dirname, '../package.json'), 'utf8'))
    const link = join(folder, 'monitaur')
    symlinkSync(cli, link)
    expect(await start(['--version'], link).ended).toMatchObject({ code: 0, out: `${version}\n` })
  })

  test('importing it does nothing', async () => {
    const importer = file('import.mjs', `await import(${JSON.stringify(`file://${cli}`)}); console.log('quiet')`)
    expect(await start(['--help'], importer).ended).toEqual({ code: 0, out: 'quiet\n', err: '' })
  })

  test('a reader that closes the pipe early ends it quietly', async () => {
    const path = file('many.ndjson', '"hello world"\n'.repeat(50_000))
    const { child, ended } = start(['replay', path, '--detector', 'text_repetition'])
    child.stdout.once('data', () => child.stdout.destroy())
    expect(await ended).toMatchObject({ code: 0, err: '' })
  })

  const onWindows = process.platform === 'win32'
  test.skipIf(onWindows)(
    `SIGINT prints the summary and exits with 130${onWindows ? ' (SKIPPED: Windows has no such signal)' : ''}`,
    async () => {
      const { child, ended } = start([...texts(), '--json'])
      child.stdout.once('data', () => child.kill('SIGINT'))
      child.stdin.write('"a"\n')
      const { code, out } = await ended
      expect(code).toBe(130)
      expect(summaryOf(out)).toMatchObject({ queries: 1, interrupted: true })
    },
  )
})

describe('real data', () => {
  const banking = join(dataDir(), 'text/banking77.csv')
  const replay = (...argv: string[]) => run(['replay', ...argv, '--json'])

  test.skipIf(!hasData('text/banking77.csv'))(
    `2000 banking questions are replayed with few alarms${absent('text/banking77.csv')}`,
    async () => {
      const { code, out } = await replay(
        banking,
        '--column',
        'text',
        '--detector',
        'text_similarity',
        '--detector',
        'text_repetition',
      )
      expect(code).toBe(0)
      expect(summaryOf(out)).toMatchObject({
        queries: 2000,
        detectors: {
          text_similarity: { judged: 2000, suspicious: 3 },
          text_repetition: { judged: 2000, suspicious: 0 }, // no text occurs twice in the file, counted by hand
        },
        bad: { count: 0 },
      })
      const lines = objects(out).slice(0, -1)
      expect(lines.filter(({ verdict }) => verdict.suspicious).map(({ line }) => line)).toEqual([680, 1953, 1967])
    },
  )

  test.skipIf(!hasData('text/banking77.csv'))(
    `their intents repeat as often as a count by hand says${absent('text/banking77.csv')}`,
    async () => {
      const { out } = await replay(banking, '--column', 'intent', '--detector', 'text_repetition')
      // Python: w = deque(maxlen=100); for each intent: w.append(intent); n += w.count(intent) >= 5
      expect(summaryOf(out).detectors.text_repetition).toMatchObject({ judged: 2000, suspicious: 61 })
    },
  )

  test.skipIf(!hasData('tabular/adult.csv'))(
    `2000 people are replayed row by row${absent('tabular/adult.csv')}`,
    async () => {
      const path = join(dataDir(), 'tabular/adult.csv')
      const { code, out } = await replay(path, '--detector', 'tabular_similarity', '--detector', 'tabular_repetition')
      expect(code).toBe(0)
      expect(summaryOf(out)).toMatchObject({
        queries: 2000,
        unjudged: 0,
        // Counted by the plain rule of test/tabularSimilarity.test.ts: 15 rows score 0.9 or more.
        detectors: { tabular_similarity: { judged: 2000, suspicious: 15 }, tabular_repetition: { suspicious: 0 } },
      })
    },
  )

  test.skipIf(!hasData('text/chatgpt_prompts.csv'))(
    `prompts of many lines in quotes are 800 queries${absent('text/chatgpt_prompts.csv')}`,
    async () => {
      const path = join(dataDir(), 'text/chatgpt_prompts.csv')
      const { code, out } = await replay(path, '--column', 'prompt', '--detector', 'text_similarity')
      expect(code).toBe(0)
      expect(summaryOf(out).queries).toBe(800) // Python's csv.reader counts 801 records, the header included
    },
  )
})
