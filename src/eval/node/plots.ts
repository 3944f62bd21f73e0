/** The pictures of a report, by Observable Plot on a document without a browser. */
import type { PlotOptions } from '@observablehq/plot'
import type { Candidate } from '../metrics.ts'
import { delays, highestScores, tradeOffs } from '../report/curves.ts'
import type { Figure } from '../report/report.ts'
import type { SessionResult } from '../results.ts'

const WIDTH = 860
/** What a logarithmic axis shows of a share of nothing. */
const LEAST = 1e-3

/** The two packages that draw. Loaded here, so that a bundle of a server is made without them as well. */
export interface Pens {
  readonly plot: typeof import('@observablehq/plot')
  readonly document: Document
}

/** Undefined where one of them is missing. */
export async function loadPens(): Promise<Pens | undefined> {
  try {
    const plot = await import('@observablehq/plot')
    const { parseHTML } = await import('linkedom')
    return { plot, document: parseHTML('<html><body></body></html>').document as unknown as Document }
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw thrown
    return undefined
  }
}

export function figuresOf(
  pens: Pens,
  sessions: readonly SessionResult[],
  candidates: readonly Candidate[],
  labels: readonly string[],
): Figure[] {
  return [
    tradeOffFigure(pens, sessions, labels),
    ...candidates.map((candidate) => delayFigure(pens, sessions, candidate)),
    ...labels.map((label) => scoreFigure(pens, sessions, label)),
  ].filter((figure) => figure !== undefined)
}

function tradeOffFigure(pens: Pens, sessions: readonly SessionResult[], labels: readonly string[]): Figure | undefined {
  const { dot, line, ruleX } = pens.plot
  const data = labels.flatMap((label) => tradeOffs(sessions, label, 'F'))
  const drawn = data.filter(({ worst, timely }) => Number.isFinite(worst) && Number.isFinite(timely))
  if (drawn.length === 0) return undefined
  const shown = drawn.map((point) => ({ ...point, worst: Math.max(point.worst, LEAST) }))
  const svg = draw(pens, {
    height: 420,
    x: {
      type: 'log',
      domain: [LEAST, 1],
      label: 'sessions with an alarm in the worst honest workload →',
      tickFormat: '~p',
      grid: true,
    },
    y: { domain: [0, 1], label: '↑ successful attacks caught in time', tickFormat: '~p' },
    color: { legend: true },
    marks: [
      ruleX([0.01], { strokeDasharray: '4 3' }),
      line(shown, { x: 'worst', y: 'timely', stroke: 'detector', sort: 'threshold' }),
      dot(shown, { x: 'worst', y: 'timely', stroke: 'detector', r: 2 }),
    ],
  })
  return {
    title: 'Attacks caught against honest clients disturbed',
    note: 'Each point a threshold. Further left is better; shares of nothing stand at 0.1 %. The dashed line is one session in a hundred.',
    svg,
  }
}

function delayFigure(pens: Pens, sessions: readonly SessionResult[], candidate: Candidate): Figure | undefined {
  const { line } = pens.plot
  const data = delays(sessions, candidate)
  if (data.length === 0) return undefined
  const clients = [...new Set(data.map(({ client }) => client))]
  return {
    title: `How soon: ${candidate.name}`,
    note: 'Share of the sessions of each attack with an alarm (blue) and with a success (red) by each query.',
    svg: draw(pens, {
      height: 60 + 90 * clients.length,
      x: { type: 'log', label: 'query →', grid: true },
      y: { domain: [0, 1], ticks: 3, label: null },
      fy: { label: null },
      marginRight: 180,
      marks: [
        line(data, {
          x: 'query',
          y: 'share',
          fy: 'client',
          z: 'what',
          stroke: ({ what }) => (what === 'alarm' ? '#2166ac' : '#b2182b'),
          curve: 'step-after',
        }),
      ],
    }),
  }
}

function scoreFigure(pens: Pens, sessions: readonly SessionResult[], label: string): Figure | undefined {
  const { tickX } = pens.plot
  const data = highestScores(sessions, label)
  if (data.length === 0) return undefined
  const attacksFirst = [...data].sort((a, b) => Number(a.role === 'benign') - Number(b.role === 'benign'))
  const clients = [...new Set(attacksFirst.map(({ client }) => client))]
  return {
    title: `Scores: ${label}`,
    note: 'The largest score of each session: red attacks, blue honest clients, grey what is neither.',
    svg: draw(pens, {
      height: 50 + 22 * clients.length,
      marginLeft: 230,
      x: { label: 'largest score →', grid: true },
      y: { label: null, domain: clients },
      marks: [tickX(data, { x: 'score', y: 'client', stroke: ({ role }) => colourOf(role), strokeOpacity: 0.6 })],
    }),
  }
}

function colourOf(role: string): string {
  if (role === 'benign') return '#2166ac'
  return role === 'equivalent' ? '#777' : '#b2182b'
}

function draw({ plot, document }: Pens, options: PlotOptions): string {
  return plot.plot({ document, width: WIDTH, ...options }).outerHTML
}
