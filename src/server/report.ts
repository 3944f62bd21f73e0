/** A replay in words: one line per query, the bad lines, the summary. Nothing from the data reaches it unescaped. */
import type { Detection, PlainError } from '../core/index.ts'
import type { Verdict } from '../core/monitor/index.ts'
import type { Query } from '../embed/index.ts'
import { printable, printableJson } from './output.ts'
import type { Outcome, Summary } from './tally.ts'

export interface ReportOptions {
  readonly json: boolean
  readonly onlySuspicious: boolean
  readonly colour: boolean
  /** Show what enforcement does with each query. */
  readonly actions: boolean
  /** The source's name, for the bad lines. */
  readonly name: string
  readonly labels: readonly string[]
}

/** What to write for one outcome, each ending a line; '' for nothing. */
export interface Lines {
  readonly stdout: string
  readonly stderr: string
}

const EXCERPT = 60
const REASON_WIDTH = 48
const ACTION_WIDTH = 'throttle'.length
const MARK_WIDTH = 'SUSPICIOUS'.length
const COLOURS = { ok: '32', SUSPICIOUS: '1;31', error: '33' } as const
type Mark = keyof typeof COLOURS

/** The lines of one outcome. An error that is not on stdout is on stderr: none is dropped silently. */
export function linesOf(outcome: Outcome, options: ReportOptions): Lines {
  const { json, onlySuspicious, name } = options
  if (outcome.kind === 'bad') {
    const { line, error } = outcome
    const isWritten = json && !onlySuspicious
    return {
      stdout: isWritten ? `${printableJson({ line, error: plain(error) })}\n` : '',
      stderr: problem(name, line, error),
    }
  }
  const { line, verdict } = outcome
  const isHidden = onlySuspicious && !verdict.detections.some(({ suspicious }) => suspicious)
  if (isHidden) return { stdout: '', stderr: verdict.errors.map((error) => problem(name, line, error)).join('') }
  const errors = verdict.errors.map(plain)
  const stdout = json ? printableJson({ line, verdict: { ...verdict, errors } }) : rowOf(outcome, options)
  return { stdout: `${stdout}\n`, stderr: '' }
}

function plain({ code, message, path }: PlainError) {
  return { code, message, path }
}

function problem(name: string, line: number, { code, message }: PlainError): string {
  return `${printable(name)}:${line}: ${printable(message)} (${code})\n`
}

function rowOf({ line, verdict, excerpt }: Outcome & { kind: 'verdict' }, options: ReportOptions): string {
  const { mark, detector, score, reason } = headline(verdict)
  const width = Math.max(...options.labels.map((label) => label.length))
  const cells = [
    String(line).padStart(6),
    paint(mark, options.colour),
    ...(options.actions ? [verdict.action.padEnd(ACTION_WIDTH)] : []),
    detector.padEnd(width),
    score.padEnd(16),
    printable(reason).padEnd(REASON_WIDTH),
    excerpt === '' ? '' : `"${printable(excerpt)}"`,
  ]
  return cells.join('  ').trimEnd()
}

function paint(mark: Mark, colour: boolean): string {
  const padded = mark.padEnd(MARK_WIDTH)
  return colour ? `\x1b[${COLOURS[mark]}m${padded}\x1b[0m` : padded
}

/** What to say of a query in one line: what is suspicious, else what failed, else the highest confidence. */
function headline({ detections, errors }: Verdict) {
  const suspicious = detections.filter((detection) => detection.suspicious)
  const [error] = errors
  const best = mostConfident(suspicious.length > 0 ? suspicious : detections)
  if (best === undefined || (suspicious.length === 0 && error !== undefined)) {
    return { mark: 'error' as const, detector: labelOf(error), score: '', reason: error?.message ?? '' }
  }
  const others = suspicious.filter((detection) => detection !== best).map(({ detector }) => `also ${detector}`)
  const failed = errors.map((failure) => `${labelOf(failure)} failed: ${failure.code}`)
  const reason = [best.reason, ...others, ...failed].join(' · ')
  const mark = suspicious.length > 0 ? ('SUSPICIOUS' as const) : ('ok' as const)
  return { mark, detector: best.detector, score: scoreOf(best), reason }
}

function mostConfident(detections: readonly Detection[]): Detection | undefined {
  return detections.reduce<Detection | undefined>((best, one) => {
    return best === undefined || one.confidence > best.confidence ? one : best
  }, undefined)
}

/** The detector's label, with which the path of a monitor's error begins. */
function labelOf(error: PlainError | undefined): string {
  return error?.path.split(/[.[]/)[0] ?? ''
}

function scoreOf({ score, threshold }: Detection): string {
  const relation = score > threshold ? '>' : score < threshold ? '<' : '='
  return `${shortNumber(score).padStart(6)} ${relation} ${shortNumber(threshold)}`
}

function shortNumber(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value)
  return Math.abs(value) < 1e4 ? String(Number(value.toFixed(3))) : value.toExponential(2)
}

/** The first characters of what was asked: the text, the row, the name of the image's file, or the model's output. */
export function excerptOf({ input, modelOutput, embedding }: Query, name: string | undefined): string {
  if (name !== undefined) return cut(name)
  if (typeof input === 'string') return cut(input)
  if (Array.isArray(input)) return cut(input.slice(0, EXCERPT).map(shortText).join(' '))
  if (typeof input === 'object' && input !== null) {
    const cells = Object.entries(input).slice(0, EXCERPT)
    return cut(cells.map(([column, value]) => `${shortText(column)}=${shortText(value)}`).join(' '))
  }
  const numbers = modelOutput ?? embedding
  return Array.isArray(numbers) ? cut(numbers.slice(0, EXCERPT).map(shortText).join(' ')) : ''
}

function shortText(value: unknown): string {
  return typeof value === 'object' && value !== null ? '…' : String(value).slice(0, EXCERPT)
}

function cut(text: string): string {
  const characters = Array.from(text.slice(0, 2 * EXCERPT + 2))
  return characters.length <= EXCERPT ? characters.join('') : `${characters.slice(0, EXCERPT).join('')}…`
}

/** The summary as a block of text, or as the last line of JSON. */
export function summaryOf(summary: Summary, { json, actions }: ReportOptions): string {
  if (json) return `${printableJson({ summary })}\n`
  const rows: [string, string][] = [
    [
      'queries',
      `${summary.queries}${summary.unjudged > 0 ? `, ${summary.unjudged} that no detector could judge` : ''}`,
    ],
    ...Object.entries(summary.detectors).map(([label, { judged, suspicious, share }], i): [string, string] => {
      const of = judged === summary.queries ? '' : ` of ${judged} judged`
      return [i === 0 ? 'suspicious' : '', `${label} ${suspicious}${of} (${(share * 100).toFixed(1)} %)`]
    }),
    ...(actions ? [['actions', counted(summary.actions)] as [string, string]] : []),
    ['errors', counted(summary.errors)],
    ['bad lines', badLines(summary.bad)],
    ['clients', `${summary.clients.remembered}, ${summary.clients.suspended} ${actions ? '' : 'would be '}suspended`],
    ['time', `${(summary.elapsedMs / 1000).toFixed(2)} s, ${Math.round(summary.queriesPerSecond)} queries/s`],
    ...(summary.interrupted ? [['', 'interrupted: the rest was not read'] as [string, string]] : []),
  ]
  return `\n${rows.map(([label, text]) => `${label.padEnd(12)}${text}`).join('\n')}\n`
}

function counted(counts: Readonly<Record<string, number>>): string {
  const parts = Object.entries(counts).map(([key, count]) => `${key} ${count}`)
  return parts.length === 0 ? '0' : parts.join(', ')
}

function badLines({ count, lines }: Summary['bad']): string {
  if (count === 0) return '0'
  const more = count - lines.length
  return `${count}: line ${lines.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
