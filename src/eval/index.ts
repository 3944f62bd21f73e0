/** Attacks, honest workloads and what comes of them: to compare detectors, and to prove the promise. Runs anywhere. */
export { answerOf, largest, logProbability, marginOf, REFUSED } from './answers.ts'
export { shuffledBatches, slowDrip, sybil } from './attacks/adaptive/accounts.ts'
export { blinded, eightBitQueries, oneInverted } from './attacks/adaptive/disguises.ts'
export { decoyFirst, decoysAtSource, evicting, padded, resending } from './attacks/adaptive/fillers.ts'
export { twoChildren } from './attacks/adaptive/twoChildren.ts'
export { ATTACKS } from './attacks/index.ts'
export { nesB } from './attacks/nes.ts'
export { rays } from './attacks/rays.ts'
export { simba, simbaDct } from './attacks/simba.ts'
export { type AnyClient, CLIENTS } from './clients.ts'
export { defineAttack, defineWorkload } from './define.ts'
export { EXTRACTIONS } from './extraction/index.ts'
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
export {
  type Recording,
  recordingFromBytes,
  recordingToBytes,
  type Sha256,
} from './recording.ts'
export { type Recorded, recordSession, replaySession } from './replay.ts'
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
export { TABULAR_ATTACKS } from './tabular/index.ts'
export { amongOthers, TEXT_ATTACKS } from './text/index.ts'
export { TOY_SHAPE, toyPictures, toyVictim } from './toy.ts'
export type {
  Answer,
  Asked,
  AskOptions,
  ClientSpec,
  Figures,
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
export {
  type DetectorChoice,
  type DetectorChoices,
  type SessionWatcher,
  type WatchOptions,
  watchDetectors,
} from './watch.ts'
export { lime } from './workloads/explainers/lime.ts'
export { occlusion } from './workloads/explainers/occlusion.ts'
export { asAudit, WORKLOADS } from './workloads/index.ts'
export { denoise } from './workloads/optimisers/restoration.ts'
export { shuffled } from './workloads/repeats/unrelated.ts'
