/**
 * Makes a function that asks for `work`: it is done in a coming frame, at most once in `everyMs`, and never twice at a
 * time. A page in the background has no frames, so what is asked for there is done when it comes back.
 */
export function throttled(everyMs: number, work: () => unknown): () => void {
  let isAsked = false
  let isBusy = false
  let lastMs = -Infinity

  function ask(): void {
    if (isAsked) return
    isAsked = true
    if (!isBusy) schedule()
  }

  function schedule(): void {
    const waitMs = lastMs + everyMs - performance.now()
    if (waitMs > 0) setTimeout(() => requestAnimationFrame(run), waitMs)
    else requestAnimationFrame(run)
  }

  async function run(): Promise<void> {
    isAsked = false
    isBusy = true
    lastMs = performance.now()
    try {
      await work()
    } finally {
      isBusy = false
      if (isAsked) schedule()
    }
  }

  return ask
}
