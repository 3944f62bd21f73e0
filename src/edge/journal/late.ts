/** The end of patience, which a thread that is busy itself does not use up. */

/** So late may a timer be in a thread that has time. */
const SLACK_MS = 50

/**
 * `late` resolves after so many ms, unless `end` is called before. A timer that fires late says that this thread was busy:
 * then what came meanwhile has not been looked at yet, and the time begins anew.
 */
export function lateAfter(ms: number): { readonly late: Promise<void>; readonly end: () => void } {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<void>((resolve) => {
    const begin = () => {
      const startMs = performance.now()
      timer = setTimeout(() => {
        if (performance.now() - startMs > ms + SLACK_MS) begin()
        else resolve()
      }, ms)
    }
    begin()
  })
  return { late, end: () => clearTimeout(timer) }
}
