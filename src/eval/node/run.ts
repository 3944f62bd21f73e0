/** A whole run: every client of a plan on every source, in threads, into a folder. */
import { availableParallelism, cpus, totalmem } from 'node:os'
import type { RunRecord } from '../results.ts'
import type { Victim } from '../types.ts'
import { type Bench, clientOf, openBench } from './bench.ts'
import { runCrew } from './crew.ts'
import { Ledger } from './ledger.ts'
import { type Job, type Plan, planHash } from './plan.ts'
import { chooseSources } from './sources.ts'

export interface RunOptions {
  readonly plan: Plan
  /** The folder of the run; one that was begun is gone on with. */
  readonly out: string
  /** The folder of recorded sessions. Default: none are kept. */
  readonly cache?: string
  /** Threads. Default: one a core. */
  readonly threads?: number
  /** Of the package, for the record. */
  readonly version: string
  /** Of the source, for the record. */
  readonly revision?: string
  /** Ends the run; what is done is kept. */
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: RunProgress) => void
}

export interface RunProgress {
  /** Sessions that were run now. */
  readonly done: number
  /** Sessions to run now. */
  readonly total: number
  /** Of those that were run. */
  readonly failed: number
}

export interface RunSummary extends RunProgress {
  /** Sessions that an earlier start had done. */
  readonly before: number
  readonly isInterrupted: boolean
}

/** Throws `bad_config` and `missing_package` before anything is run. A session that fails is written down as such. */
export async function runPlan(options: RunOptions): Promise<RunSummary> {
  const { plan, out, cache, signal, onProgress } = options
  const threads = options.threads ?? availableParallelism()
  const bench = await openBench(plan)
  const { jobs, accuracies } = await jobsOf(bench)
  const ledger = await Ledger.open(out, {
    record: recordOf(bench, accuracies, options),
    plan,
    planHash: planHash(plan),
  })
  const nameOf = ({ victim }: Job) => bench.victims[victim]!.name
  const left = jobs.filter((job) => !ledger.has({ ...job, victim: nameOf(job) }))
  const counts = { done: 0, total: left.length, failed: 0 }
  const tell = () => onProgress?.({ ...counts })
  tell()
  try {
    await runCrew({
      plan,
      cache,
      jobs: left,
      threads,
      signal,
      onDone(_, result) {
        ledger.write(result)
        counts.done++
        tell()
      },
      onFailed({ client, source, seed, ...job }, message) {
        ledger.write({ client, victim: nameOf({ client, source, seed, ...job }), source, seed, message, failed: true })
        counts.done++
        counts.failed++
        tell()
      },
    })
  } finally {
    ledger.close()
  }
  return { ...counts, before: jobs.length - left.length, isInterrupted: signal?.aborted ?? false }
}

interface Jobs {
  /** Those of one source beside each other, so that a run that is ended early has all clients of some. */
  readonly jobs: readonly Job[]
  /** By model. */
  readonly accuracies: readonly number[]
}

async function jobsOf(bench: Bench): Promise<Jobs> {
  const { clients, seeds } = bench.plan
  const jobs: Job[] = []
  const accuracies: number[] = []
  for (const [victim, model] of bench.victims.entries()) {
    const { sources, accuracy } = await chooseSources(bench, model)
    accuracies.push(accuracy)
    for (const { index, split } of sources) {
      for (const seed of seeds) {
        for (const client of Object.keys(clients)) jobs.push({ client, victim, source: index, split, seed })
      }
    }
  }
  return { jobs, accuracies }
}

function recordOf(bench: Bench, accuracies: readonly number[], { version, revision }: RunOptions): RunRecord {
  const { plan, data, victims } = bench
  const labels = Object.keys(plan.clients)
  return {
    format: 1,
    version,
    ...(revision !== undefined && { revision }),
    seeds: plan.seeds,
    budget: plan.budget,
    victims: victims.map(({ name, hash }: Victim, i) => ({ name, hash, accuracy: accuracies[i]! })),
    data: [{ name: data.name, hash: data.hash, count: data.items.length }],
    detectors: plan.detectors,
    clients: Object.fromEntries(labels.map((label) => [label, clientOf(bench, label).config])),
    machine: machine(),
    startedAt: new Date().toISOString(),
  }
}

/** Its class, and nothing that tells which one it is. */
function machine(): string {
  const processors = cpus()
  const gigabytes = Math.round(totalmem() / 2 ** 30)
  const model = processors[0]?.model.trim() ?? 'unknown processor'
  return `${processors.length} × ${model}, ${gigabytes} GiB, Node ${process.versions.node}, ${process.platform}`
}
