/** Times that can be compared: what is compared runs in turns, in one process. */
import { median } from '../server/report.mjs'

/** Its answers are consumed, so that nothing is optimised away. */
let consumed = 0

/** CPU of this process in ns: on a machine that others use as well, the clock on the wall tells of them. */
function cpu() {
  const { user, system } = process.cpuUsage()
  return 1000 * (user + system)
}

/**
 * CPU per call in ns of each function, by round: A B A B …, the order reversed every other round, each sample repeated
 * until it lasts about `sampleMs`.
 *
 * @param ways functions by name. What a call returns as a number is consumed.
 */
export function inTurns(ways, { rounds, sampleMs, warmUpMs }) {
  const names = Object.keys(ways)
  const repeats = Object.fromEntries(names.map((name) => [name, warmUp(ways[name], sampleMs, warmUpMs)]))
  const times = Object.fromEntries(names.map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : [...names].reverse()) {
      const [run, count] = [ways[name], repeats[name]]
      const start = cpu()
      for (let i = 0; i < count; i++) consumed ^= Number(run()) | 0
      times[name].push((cpu() - start) / count)
    }
  }
  return times
}

/** The same for functions whose calls take milliseconds and are promises; threads of libraries count as well. */
export async function inTurnsAwaited(ways, { rounds }) {
  const names = Object.keys(ways)
  const times = Object.fromEntries(names.map((name) => [name, []]))
  for (let round = -1; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : [...names].reverse()) {
      const start = cpu()
      await ways[name]()
      if (round >= 0) times[name].push(cpu() - start)
    }
  }
  return times
}

/** Until it is compiled; returns how many calls make a sample. */
function warmUp(run, sampleMs, warmUpMs) {
  let calls = 0
  const start = cpu()
  while (cpu() - start < 1e6 * warmUpMs) {
    consumed ^= Number(run()) | 0
    calls++
  }
  const again = cpu()
  const few = Math.ceil(calls / 4)
  for (let i = 0; i < few; i++) consumed ^= Number(run()) | 0
  return Math.max(1, Math.ceil((1e6 * sampleMs * few) / Math.max(cpu() - again, 1)))
}

/** The ratio of two lists of times, round by round: smallest, median, largest. */
export function ratio(over, under) {
  const ratios = over.map((time, i) => time / under[i])
  return { min: Math.min(...ratios), median: median(ratios), max: Math.max(...ratios) }
}

export function last() {
  return consumed
}
