/** Looks again and again until something is there. Rejects after `withinMs`, five seconds by default. */
export async function until<T>(
  look: () => T | undefined | false | Promise<T | undefined | false>,
  withinMs = 5000,
): Promise<T> {
  const lastMs = performance.now() + withinMs
  while (performance.now() < lastMs) {
    const found = await look()
    if (found) return found
    await new Promise((done) => setTimeout(done, 10))
  }
  throw new Error(`it did not happen within ${withinMs / 1000} s`)
}
