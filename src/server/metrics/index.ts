/** What a monitor is measured by, without a server around it: the same names and numbers in a page. Needs no platform. */
export { type WatchedDetector, watchedDetectors } from '../http/watched.ts'
export { Instruments, type MeasuredModel } from './instruments.ts'
export { TextMeter } from './textMeter.ts'
