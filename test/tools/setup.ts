/** Runs once before all test files: finds or installs the browser, so that the workers of Vitest do not do it at once. */
import { findChromium } from './chromium.ts'

/**
 * Leaves the browser's path in `MONITAUR_CHROMIUM`. Where none can be had it leaves the reason in `MONITAUR_NO_CHROMIUM`
 * and lets the other tests run; those that need a browser then fail with it.
 */
export default async function setup(): Promise<void> {
  try {
    process.env['MONITAUR_CHROMIUM'] = await findChromium()
  } catch (thrown) {
    const { message } = thrown as Error
    process.env['MONITAUR_NO_CHROMIUM'] = message // so that no test tries it again
    process.stderr.write(`${message}\n`)
  }
}
