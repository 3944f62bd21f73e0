/** Attacks, honest workloads and what comes of them: to compare detectors, and to prove the promise. Runs anywhere. */
export { answerOf, largest, logProbability, marginOf, REFUSED } from './answers.ts'
export { ATTACKS } from './attacks/index.ts'
export { defineAttack, defineWorkload } from './define.ts'
export { createRandom, type Random, seedOf } from './random.ts'
export { type Outcome, runSession, type SessionOptions } from './session.ts'
export type {
  Answer,
  Asked,
  AskOptions,
  ClientSpec,
  InputOf,
  Kind,
  Labelled,
  Oracle,
  Picture,
  Profile,
  Role,
  Shape,
  Task,
  Victim,
  Watcher,
} from './types.ts'
export { WORKLOADS } from './workloads/index.ts'
