/** A plan with its models open and its data read: what each thread has, and how it runs one session. */
import { checkNumber, MonitorError, type PlainData } from '../../core/index.ts'
import type { AnyClient } from '../clients.ts'
import { seedOf } from '../random.ts'
import type { SessionResult } from '../results.ts'
import type { Outcome } from '../session.ts'
import { TOY_SHAPE, toyVictim } from '../toy.ts'
import type { InputOf, Kind, Task, Victim } from '../types.ts'
import { watchDetectors } from '../watch.ts'
import type { Dataset } from './data/dataset.ts'
import { readData, toyData } from './data/read.ts'
import { type Parted, partedFor } from './heldOut.ts'
import { openOnnxVictim, type PictureVictim } from './onnxVictim.ts'
import type { Job, Plan, VictimChoice } from './plan.ts'
import { findIn, loadParts, type Parts } from './plugins.ts'
import { runCached } from './recordings.ts'

export interface Bench {
  readonly plan: Plan
  readonly parts: Parts
  readonly victims: readonly Victim[]
  readonly data: Dataset
  /** What thieves may ask and what not, by model: made for the first of them. */
  readonly parted: Map<Victim, Promise<Parted<Kind>>>
}

/**
 * Opens everything and checks that it goes together, so that nothing of it fails in the middle of a run.
 *
 * @throws `bad_config` with what is wrong and the remedy; `missing_package`.
 */
export async function openBench(plan: Plan): Promise<Bench> {
  const parts = await loadParts(plan.plugins)
  checkNumbers(plan)
  const victims: Victim[] = []
  for (const choice of plan.victims) victims.push(await openVictim(choice, parts))
  checkNames(victims)
  const data = await openData(plan, parts, victims)
  for (const victim of victims) checkFit(victim, data)
  const bench: Bench = { plan, parts, victims, data, parted: new Map() }
  for (const label of Object.keys(plan.clients)) clientOf(bench, label)
  watchDetectors(plan.detectors, { ...data, registry: parts.registry })
  return bench
}

function checkNumbers({ budget, sources, seeds }: Plan): void {
  checkNumber(budget, { min: 1, max: 1e7, integer: true }, 'budget')
  checkNumber(sources, { min: 1, max: 1e6, integer: true }, 'sources')
  for (const seed of seeds) checkNumber(seed, { min: 0, max: 2 ** 32 - 1, integer: true }, 'seeds')
}

async function openVictim(choice: VictimChoice, { victims }: Parts): Promise<Victim> {
  if (choice === 'toy') return { ...toyVictim(), shape: TOY_SHAPE } as PictureVictim
  if ('victim' in choice) return findIn(victims, choice.victim, 'model', 'victims')()
  const { file, ...options } = choice
  return openOnnxVictim(file, options)
}

function checkNames(victims: readonly Victim[]): void {
  const [first] = victims
  if (first === undefined) throw new MonitorError('bad_config', 'name at least one model', 'victims')
  const names = victims.map(({ name }) => name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) {
    throw new MonitorError('bad_config', `two models are called '${twice}'; give one another name`, 'victims')
  }
}

async function openData({ data }: Plan, parts: Parts, [first]: readonly Victim[]): Promise<Dataset> {
  const set = await readChosen(data, parts, (first as Partial<PictureVictim>).shape ?? TOY_SHAPE)
  if (set.items.length > 0) return set
  throw new MonitorError('bad_config', 'the data is empty', set.name)
}

function readChosen(data: Plan['data'], parts: Parts, shape: PictureVictim['shape']): Promise<Dataset> | Dataset {
  if (data === 'toy') return toyData()
  if ('data' in data) return findIn(parts.data, data.data, 'data', 'data')()
  const { path, ...options } = data
  return readData(path, shape, options)
}

function checkFit(victim: Victim, { kind, shape, items, name }: Dataset): void {
  if (victim.kind !== kind) {
    throw new MonitorError('bad_config', `the model ${victim.name} is for ${victim.kind}, the data for ${kind}`, name)
  }
  const wanted = (victim as Partial<PictureVictim>).shape
  if (
    wanted !== undefined &&
    !(['width', 'height', 'channels'] as const).every((side) => wanted[side] === shape[side])
  ) {
    const [takes, has] = [wanted, shape].map((one) => `${one.width} × ${one.height} × ${one.channels}`)
    const message = `the model ${victim.name} takes pictures of ${takes}, the data has ${has}; choose data that fits`
    throw new MonitorError('bad_config', message, name)
  }
  const wrong = items.findIndex(({ label }) => !(Number.isInteger(label) && label >= 0 && label < victim.classes))
  if (wrong === -1) return
  const range = `0 … ${victim.classes - 1}, the classes of ${victim.name}`
  throw new MonitorError(
    'bad_config',
    `input ${wrong + 1} has the label ${items[wrong]!.label}; labels must be in ${range}`,
    name,
  )
}

interface Client {
  readonly spec: AnyClient
  readonly config: Readonly<Record<string, unknown>>
}

/** The client of a label, with every option. Throws `bad_config`. */
export function clientOf({ plan, parts, data }: Bench, label: string): Client {
  const { name, config = {} } = plan.clients[label]!
  const path = `clients.${label}`
  const spec = findIn(parts.clients, name, 'client', path)
  if (spec.kind !== data.kind) {
    throw new MonitorError('bad_config', `works on ${spec.kind}, the data is of ${data.kind}; leave it out`, path)
  }
  for (const key of Object.keys(config)) findIn(new Map(Object.entries(spec.defaults)), key, 'option', `${path}.${key}`)
  return { spec, config: { ...spec.defaults, ...config } }
}

/** Runs a session, or runs it again from the cache. */
export async function runJob(bench: Bench, job: Job, cache: string | undefined): Promise<SessionResult> {
  const { plan, parts, victims, data } = bench
  const { spec, config } = clientOf(bench, job.client)
  const victim = victims[job.victim]!
  const { input: source, label } = data.items[job.source]!
  const task = {
    source,
    label,
    classes: victim.classes,
    shape: data.shape,
    budget: plan.budget,
    ...(await othersOf(bench, victim, { spec, source: job.source })),
  }
  const seed = seedOf(job.seed, spec.name, job.source)
  const watch = () => watchDetectors(plan.detectors, { ...data, registry: parts.registry })
  const enforcing = Object.values(plan.detectors).filter(({ enforce = 'none' }) => enforce !== 'none')
  const { outcome, hash, watcher } = await runCached(
    { session: { client: spec, config, victim, task, seed }, watch },
    { folder: cache, about: [victim.hash, data.hash, job.source, enforcing] as unknown as PlainData },
  )
  return resultOf(job, spec, victim, { outcome, hash, detectors: watcher.results() })
}

/** All inputs but the source; a thief is kept from some more, on which its copy is judged. */
async function othersOf(
  { data, parted }: Bench,
  victim: Victim,
  { spec, source }: { readonly spec: AnyClient; readonly source: number },
): Promise<Pick<Task<InputOf[Kind]>, 'pool' | 'heldOut'>> {
  const own = data.items[source]!
  if (spec.role !== 'extraction') return { pool: data.items.filter((item) => item !== own) }
  const known = parted.get(victim) ?? partedFor(victim, data.items)
  parted.set(victim, known)
  const { pool, heldOut } = await known
  return { pool: pool.filter((item) => item !== own), heldOut }
}

function resultOf(
  { client, source, split, seed }: Job,
  { kind, role, profile }: AnyClient,
  victim: Victim,
  said: { readonly outcome: Outcome; readonly hash: string; readonly detectors: SessionResult['detectors'] },
): SessionResult {
  const { queries, success, figures } = said.outcome
  return {
    client,
    kind,
    role,
    ...(profile !== undefined && { profile }),
    victim: victim.name,
    source,
    split,
    seed,
    queries,
    ...(success !== undefined && { success }),
    hash: said.hash,
    ...(figures !== undefined && { figures }),
    detectors: said.detectors,
  }
}
