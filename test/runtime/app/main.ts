/** A page as a user would build it, from the package by its name. It offers scenarios to the tests. */
/// <reference types="vite/client" />
import { type Builtins, fromBytes, getDetector, toBytes } from 'monitaur'
import * as core from 'monitaur/core'
import * as images from './images.ts'
import { featuresOf, fromHex, hex } from './numbers.ts'
import { sampleQueries } from './samples.ts'
import * as workers from './workers.ts'

const offered = { ...images, ...workers, features: () => featuresOf(core), goOn }

export type Scenarios = typeof offered

declare global {
  var scenarios: Scenarios
}

globalThis.scenarios = offered

/** Takes a snapshot over, goes on with the sample queries from `from` up to `to`, and hands the state back. */
async function goOn(name: keyof Builtins, snapshot: string, from: number, to: number) {
  const detector = getDetector(name)
  await detector.restore(fromBytes(fromHex(snapshot)))
  const results = await detector.processBatch(sampleQueries(name, to).slice(from))
  return { results: results.map((result) => JSON.stringify(result)), snapshot: hex(toBytes(await detector.snapshot())) }
}
