/** What the server runs with. */
import { byId, element, setText } from './elements.ts'
import { count, date, duration, score, UNIT_NAMES } from './format.ts'
import { KeyedList, type View } from './keyed.ts'
import type { Policy, Status, StatusDetector, StatusModel } from './wire.ts'

/** Makes the settings; the function shows those of a model. */
export function createSettings(): (status: Status, model: StatusModel, nowMs: number) => void {
  const detectors = new KeyedList(byId('detectors-rows'), detectorRow)
  const policy = new KeyedList(byId('policy'), factView)
  const limits = new KeyedList(byId('limits'), factView)
  return (status, model, nowMs) => {
    detectors.show(new Map(model.detectors.map((detector) => [`${model.name} ${detector.label}`, detector])))
    setText(byId('calibrated'), calibratedText(model.calibratedAt, nowMs))
    policy.show(keyed(policyFacts(model.policy)))
    limits.show(keyed(Object.entries(status.limits).map(limitFact)))
  }
}

function detectorRow(detector: StatusDetector): View<StatusDetector> {
  const cells = cellsOf(detector).map(([, kind]) => element('td', { class: kind }))
  const row = element('tr', {}, element('th', { scope: 'row' }, detector.label), ...cells)
  return {
    element: row,
    update(next) {
      for (const [i, [text]] of cellsOf(next).entries()) setText(cells[i]!, text)
    },
  }
}

function cellsOf(detector: StatusDetector): readonly (readonly [text: string, kind?: string])[] {
  const { name, scope, threshold, unit, backend, judged, suspicious, errors, options } = detector
  return [
    [name],
    [scope === 'client' ? 'each client' : 'all clients'],
    [score(threshold, unit), 'number'],
    [UNIT_NAMES[unit] || unit],
    [backend ?? 'own code'],
    [count(judged), 'number'],
    [count(suspicious), 'number'],
    [count(errors), 'number'],
    [optionsText(options), 'options'],
  ]
}

/** Without those that stand in columns of their own. */
function optionsText(options: StatusDetector['options']): string {
  const others = Object.entries(options).filter(([key]) => key !== 'threshold' && key !== 'limits')
  return others.map(([key, value]) => `${key} ${typeof value === 'string' ? value : JSON.stringify(value)}`).join(', ')
}

function calibratedText(calibratedAt: string | null, nowMs: number): string {
  if (calibratedAt === null) return 'The thresholds were not calibrated on traffic of this model.'
  const atMs = Date.parse(calibratedAt)
  return `The thresholds were calibrated on ${date(atMs)}, ${duration(nowMs - atMs)} ago.`
}

type Fact = readonly [name: string, text: string]

function policyFacts(policy: Policy): Fact[] {
  const { mode, onError, throttleAt, suspendAt, suspendForMs, fadePerMinute } = policy
  return [
    ['mode', mode === 'enforce' ? 'enforce: clients are refused' : 'observe: nobody is refused'],
    ['throttled from', `evidence ${throttleAt}`],
    ['suspended from', `evidence ${suspendAt}`],
    ['suspended for', duration(suspendForMs)],
    ['evidence fades by', `${fadePerMinute} a minute`],
    ['a detector that fails', onError === 'closed' ? 'closed: the query is refused' : 'open: the others decide'],
  ]
}

const MIB = 1024 * 1024

/** `maxBodyBytes 16777216` as `max body: 16 MiB`. */
function limitFact([key, value]: readonly [string, number]): Fact {
  const [, stem = key, unit] = /^(.*?)(Bytes|Ms)?$/.exec(key) ?? []
  const name = stem.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
  if (unit === 'Ms') return [name, value < 1000 ? `${value} ms` : duration(value)]
  if (unit !== 'Bytes') return [name, count(value)]
  return [name, value >= MIB ? `${count(value / MIB)} MiB` : `${count(value / 1024)} KiB`]
}

function keyed(facts: readonly Fact[]): Map<string, Fact> {
  return new Map(facts.map((fact) => [fact[0], fact]))
}

function factView([name]: Fact): View<Fact> {
  const text = element('dd')
  return {
    element: element('div', {}, element('dt', {}, name), text),
    update: ([, next]) => setText(text, next),
  }
}
