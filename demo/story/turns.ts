/** Several clients at one model, query by query: who asks oftener gets more turns, and the same rates give the same order. */

/** One who asks. `run` waits for its turn before each query, and is done when it returns. */
export interface Taker {
  /** Turns a second of the stream's time. */
  readonly rate: number
  run(turn: () => Promise<number>): Promise<void>
}

/** Lets all of them run to their end. A turn gives its time in ms since the start; `pause` is called after each one. */
export async function takeTurns(takers: readonly Taker[], pause: () => Promise<void>): Promise<void> {
  const waiting: (((timeMs: number) => void) | undefined)[] = takers.map(() => undefined)
  const taken = takers.map(() => 0)
  let busy = takers.length
  let failed: { readonly thrown: unknown } | undefined
  let wake = () => {}

  for (const [i, taker] of takers.entries()) {
    const turn = () =>
      new Promise<number>((go) => {
        settle(() => {
          waiting[i] = go
        })
      })
    taker
      .run(turn)
      .catch((thrown) => {
        failed = { thrown }
      })
      .finally(() => settle(() => {}))
  }
  for (;;) {
    while (busy > 0) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
    if (failed !== undefined) throw failed.thrown
    const next = nextOf()
    if (next === undefined) return
    const go = waiting[next]!
    waiting[next] = undefined
    busy++
    go((1000 * ++taken[next]!) / takers[next]!.rate)
    await pause()
  }

  function settle(step: () => void): void {
    step()
    busy--
    wake()
  }

  /** Whose next query is due first; of equals the first. */
  function nextOf(): number | undefined {
    const due = (i: number) => (waiting[i] === undefined ? Infinity : (taken[i]! + 1) / takers[i]!.rate)
    let first: number | undefined
    for (let i = 0; i < takers.length; i++) {
      if (due(i) < (first === undefined ? Infinity : due(first))) first = i
    }
    return first
  }
}
