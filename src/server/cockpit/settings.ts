/** What the server runs with. */
import { byId, element, setText } from './elements.ts'
import { count, date, duration, score, UNIT_NAMES } from './format.ts'
import { KeyedList, type View } from './keyed.ts'
import type { Status, StatusDetector, StatusModel } from './wire.ts'

/** Makes the settings; the function shows those of a model. */
export function createSettings(): (status: Status, model: StatusModel, nowMs: number) => void {
  const detectors = new KeyedList(byId('detectors-rows'), detectorRow)
  const policy = new KeyedList(byId('policy'), factView)
  const limits = new KeyedList(byId('limits'), factView)
  return (status, model, nowMs) => {
    detectors.show(new Map(model.detectors.map((detector) => [`${model.name} ${detector.label}`, detector])))
    setText(byId('calibrated'), calibratedText(model, nowMs))
    policy.show(keyed(policyFacts(model)))
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
    [SCOPES[scope]],
    [score(threshold, unit), 'number'],
    [UNIT_NAMES[unit] || unit],
    [backend ?? 'own code'],
    [count(judged), 'number'],
    [count(suspicious), 'number'],
    [count(errors), 'number'],
    [optionsText(options), 'options'],
  ]
}

const OWN_COLUMNS = ['threshold', 'limits']
const SCOPES = { client: 'each client', group: 'each group', global: 'all clients' } as const

/** Without those that stand in columns of their own. */
function optionsText(options: StatusDetector['options']): string {
  const others = Object.entries(options).filter(([key]) => !OWN_COLUMNS.includes(key))
  return others.map(([key, value]) => `${key} ${typeof value === 'string' ? value : JSON.stringify(value)}`).join(', ')
}

function calibratedText({ calibratedAt, calibration }: StatusModel, nowMs: number): string {
  if (calibratedAt === null) return 'The thresholds were not calibrated on traffic of this model.'
  const atMs = Date.parse(calibratedAt)
  const text = `The thresholds were calibrated on ${date(atMs)}, ${duration(nowMs - atMs)} ago`
  if (calibration === null) return `${text}.`
  const { alpha, clients, drift, isHeld } = calibration
  const promise = `on ${count(clients)} honest clients: at most 1 in ${count(1 / alpha)} of such is ever suspended`
  const moved = drift.map(({ detector, direction }) => `${detector} scores ${direction} than then`)
  const held = isHeld ? ' Nobody is suspended until there is a new calibration.' : ''
  return `${text}, ${promise}.${moved.length === 0 ? '' : ` Honest traffic has changed: ${moved.join(', ')}.`}${held}`
}

type Fact = readonly [name: string, text: string]

function policyFacts({ policy, evidence }: StatusModel): Fact[] {
  const { mode, onError, throttleAt, suspendAt, suspendForMs, suspendGrowth, fadePerMinute, allow } = policy
  const isCount = evidence === 'count'
  const limit = (value: number) => `evidence ${Number(value.toPrecision(3))}${isCount ? '' : ' nats'}`
  return [
    ['mode', mode === 'enforce' ? 'enforce: clients are refused' : 'observe: nobody is refused'],
    ['throttled from', limit(throttleAt)],
    ['suspended from', limit(suspendAt)],
    ['suspended for', `${duration(suspendForMs)}, then ${suspendGrowth} times as long each time`],
    ...(isCount ? [['evidence fades by', `${fadePerMinute} a minute`] as const] : []),
    ['left alone', allow.length === 0 ? 'nobody' : `${count(allow.length)} clients`],
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
