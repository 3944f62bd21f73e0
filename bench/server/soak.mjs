/** Load from many clients for a long time: does the memory keep still? */
import { createProgress } from '../embed/progress.mjs'
import { load } from './load.mjs'
import { toSvg } from './plot.mjs'
import { startMonitaur } from './process.mjs'
import { machine, median, write, writeReport } from './report.mjs'

const CLIENTS = 10_000
/** A client's memory is full after so many queries. */
const WINDOW = 100
const SAMPLE_MS = 1000
/** How much more the last third may take than the middle one. */
const GROWTH = 1.03

/** Every client has windows of its own, for two detectors. */
const DETECTORS = ['--detector', 'confidence', '--detector', 'text_repetition']

export async function soak({ seconds }) {
  const server = await startMonitaur(DETECTORS)
  const samples = []
  const startMs = performance.now()
  const take = () => samples.push({ second: (performance.now() - startMs) / 1000, ...server.memory() })
  const timer = setInterval(take, SAMPLE_MS)
  const progress = createProgress('seconds', seconds)
  let requests = 0
  try {
    while (performance.now() - startMs < seconds * 1000) {
      const left = Math.ceil(seconds - (performance.now() - startMs) / 1000)
      requests += (await load(server.address, { seconds: Math.min(10, Math.max(1, left)), clients: CLIENTS })).requests
      progress.step(Math.round((performance.now() - startMs) / 1000))
    }
    take()
    const state = await stateOf(server.address)
    report({ samples, requests, seconds, state })
  } finally {
    clearInterval(timer)
    progress.end()
    await server.stop()
  }
}

async function stateOf(address) {
  const { models } = await (await fetch(`${address}v1/status`)).json()
  return models[0].clients
}

function report({ samples, requests, seconds, state }) {
  const third = (i) => samples.filter(({ second }) => second >= (i * seconds) / 3 && second < ((i + 1) * seconds) / 3)
  const middle = median(third(1).map(({ now }) => now))
  const last = median(third(2).map(({ now }) => now))
  const isKept = seconds >= 600
  const folder = isKept ? 'bench/results' : 'reports'
  write(`${folder}/soak.svg`, toSvg(samples, { title: `RSS with ${CLIENTS} clients`, unit: 'MB' }))
  writeReport({
    name: 'soak',
    title: '# Memory under load from many clients',
    intro: [
      `${machine()} · \`npm run bench:server -- --soak ${seconds}\``,
      '',
      `${requests.toLocaleString('en')} queries in ${seconds} s from ${state.active.toLocaleString('en')} clients, each with windows of ${WINDOW}`,
      `queries for \`confidence\` and \`text_repetition\`; ${(state.bytes / 1e6).toFixed(0)} MB by the monitor's own estimate, of at most ${(state.maxBytes / 1e6).toFixed(0)} MB.`,
      '',
      '![Memory over time](soak.svg)',
      '',
    ],
    table: [
      ['part', 'RSS, median MB'],
      ...[0, 1, 2].map((i) => [['first', 'middle', 'last'][i], median(third(i).map(({ now }) => now)).toFixed(0)]),
      ['most', samples.at(-1).most.toFixed(0)],
    ],
    rows: [
      {
        name: 'RSS of the last third ÷ that of the middle',
        value: last / middle,
        unit: '',
        goal: GROWTH,
        met: last / middle <= GROWTH,
      },
      { name: 'queries', value: requests, unit: '', met: null },
    ],
    isKept,
  })
}
