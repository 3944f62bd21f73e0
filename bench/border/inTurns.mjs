/** Awaited calls in turns, by the clock on the wall: two threads are at work. Runs in Node and in a page. */

/**
 * Time per query in ms of each way, by round, the order reversed every other round.
 *
 * @param ways By name `{ run, queries }`: a function that promises the answers to so many queries.
 */
export async function inTurns(ways, { rounds, sampleMs, warmUpMs }) {
  const names = Object.keys(ways)
  const times = Object.fromEntries(names.map((name) => [name, []]))
  const repeats = {}
  for (const name of names) {
    let calls = 0
    const start = performance.now()
    for (; calls < 3 || performance.now() - start < warmUpMs; calls++) await ways[name].run()
    repeats[name] = Math.max(1, Math.ceil((calls * sampleMs) / (performance.now() - start)))
  }
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : [...names].reverse()) {
      const { run, queries } = ways[name]
      const start = performance.now()
      for (let i = 0; i < repeats[name]; i++) await run()
      times[name].push((performance.now() - start) / repeats[name] / queries)
    }
  }
  return times
}
