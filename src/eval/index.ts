/** Attacks, honest workloads and what comes of them: to compare detectors, and to prove the promise. Runs anywhere. */
export { answerOf, largest, logProbability, marginOf, REFUSED } from './answers.ts'
export { ATTACKS } from './attacks/index.ts'
export { defineAttack, defineWorkload } from './define.ts'
export {
  alarmShare,
  byClient,
  type Candidate,
  evasions,
  firstAlarm,
  isTimely,
  type Share,
  timelyShare,
  type Worst,
  workloadsOf,
  worstWorkload,
} from './metrics.ts'
export { createRandom, type Random, seedOf } from './random.ts'
export { compareRuns, labelsOf, signTest } from './report/compare.ts'
export { type Delay, delays, type Highest, highestScores, type TradeOff, tradeOffs } from './report/curves.ts'
export {
  type Failure,
  type Figure,
  type Goal,
  htmlReport,
  markdownReport,
  ownCandidates,
  type ReportInput,
  tablesOf,
} from './report/report.ts'
export { htmlTable, markdownTable, type Table } from './report/table.ts'
export type { RunRecord, SessionResult, Split, Watched } from './results.ts'
export { anyOf, type Budget, type Looked, type Selection, type Status, select, thresholdsOf } from './selection.ts'
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
