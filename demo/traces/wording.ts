/** Shares, thresholds and counts in words. */
import type { Share } from './figures.ts'
import type { Scale } from './traces.ts'

/** `18 of 20 (90 %; 68 … 99 %)` */
export function shareText({ count, of, interval }: Share): string {
  if (of === 0) return 'none to judge'
  return `${count} of ${of} (${percent(count / of)} %; ${percent(interval.low)} … ${percent(interval.high)} %)`
}

export function percent(share: number): string {
  return String(Math.round(share * 100))
}

/** `0.9`, with the detector's rule and a word for its own; `never` above the scale. */
export function thresholdText({ step, levels, own, isStrict }: Scale, level: number): string {
  if (level > levels) return 'never'
  const value = Number((level * step).toPrecision(4))
  return `${isStrict ? '>' : '≥'} ${value}${level === own ? ', its own' : ''}`
}

/** `1 attack`, `3 attacks` */
export function amount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
