/**
 * Kinds of users. Each has a `share` of the queries and a function `next` that gives the next one: `{ path, body }`, the
 * body JSON unless `type` says otherwise. `bad` marks the ones that a server may refuse.
 */
import { claim, nudged, question, reworded, sureOutput, unsureOutput } from './content.mjs'
import { altered, drawScene, toPng } from './picture.mjs'

const ASSISTANT = 'assistant'
const CLAIMS = 'claims'
const HONEST = 80
const BATCH = 8
/** Queries after which a prober begins with another prompt, photo or claim. */
const CAMPAIGN = 60

/** All kinds of users, drawing from one source of chance. */
export function createUsers(random) {
  const { pick, below } = random
  const person = (group) => `${group}-${1 + below(HONEST)}`

  return [
    { name: 'asks', share: 30, next: () => inspect(ask(person('person'))) },
    { name: 'asks through /detect', share: 8, next: () => ({ path: '/detect', body: ask(person('person')) }) },
    { name: 'asks without a name', share: 3, next: () => inspect(ask(undefined)) },
    { name: 'sends a batch', share: 1, next: () => batch('application/json', JSON.stringify) },
    { name: 'streams lines', share: 1, next: () => batch('application/x-ndjson', toLines) },
    { name: 'claims with a row', share: 14, next: () => inspect(report(person('claimant'), claim(random))) },
    { name: 'claims with a photo', share: 10, next: () => inspect(photo(person('claimant'), drawScene(random))) },
    { name: 'mutates a prompt', share: 7, next: prober(question, (text) => ask('mutator', reworded(text, random))) },
    { name: 'repeats a prompt', share: 5, next: prober(question, (text) => ask('repeater', text)) },
    { name: 'repeats under new names', share: 3, next: prober(question, (text) => ask(`double-${below(1e6)}`, text)) },
    { name: 'alters a photo', share: 6, next: prober(drawScene, (scene) => photo('painter', altered(scene, random))) },
    { name: 'nudges a row', share: 5, next: prober(claim, (row) => report('nudger', nudged(row, random))) },
    { name: 'walks along a boundary', share: 5, next: () => inspect(walk()) },
    { name: 'sends rubbish', share: 2, bad: true, next: () => pick(RUBBISH) },
  ]

  function ask(client, text = question(random)) {
    return { model: ASSISTANT, client_id: client, input_data: text, model_output: sureOutput(random) }
  }

  function report(client, row) {
    return { model: CLAIMS, client_id: client, input_data: row, model_output: sureOutput(random) }
  }

  function photo(client, scene) {
    const output = sureOutput(random)
    return { model: CLAIMS, client_id: client, modality: 'image', input_data: toPng(scene), model_output: output }
  }

  /** Either model, always with an answer that the model is unsure of. */
  function walk() {
    const query = below(2) === 0 ? ask('walker') : report('walker', claim(random))
    return { ...query, model_output: unsureOutput(random) }
  }

  function batch(type, write) {
    return { path: '/v1/inspect/batch', type, body: write(Array.from({ length: BATCH }, () => ask(person('person')))) }
  }

  /** One attack after the other: each starts from something new and stays with it for a while. */
  function prober(start, step) {
    let sent = 0
    let base
    return () => {
      if (sent++ % CAMPAIGN === 0) base = start(random)
      return inspect(step(base))
    }
  }
}

function inspect(query) {
  return { path: '/v1/inspect', body: query }
}

function toLines(queries) {
  return queries.map((query) => `${JSON.stringify(query)}\n`).join('')
}

const good = { model: ASSISTANT, client_id: 'broken', input_data: 'What is this?', model_output: [0.9, 0.1] }

/** Each is refused with a 4xx, or judged by the detectors that can, with an error for those that cannot. */
const RUBBISH = [
  { path: '/v1/inspect', body: '{"input_data": "cut off' },
  { path: '/v1/inspect', body: { ...good, model_output: [0.9, -0.1] } },
  { path: '/v1/inspect', body: { ...good, inputdata: 'a slip of the pen' } },
  { path: '/v1/inspect', body: { ...good, client_id: 7 } },
  { path: '/v1/inspect', body: { ...good, model: CLAIMS, modality: 'image', input_data: 'bm8gcGljdHVyZQ==' } },
  { path: '/detect', body: { client_id: 'broken', model_output: [1] } },
  { path: '/detect', body: 'model_output=0.9', type: 'application/x-www-form-urlencoded' },
  { path: '/v1/inspekt', body: good },
]
