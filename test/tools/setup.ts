/** Runs once before all test files: finds or installs programs, so that the workers of Vitest do not do it at once. */
import { findChromium } from './chromium.ts'
import { say } from './programs.ts'
import { findPrometheus } from './prometheus.ts'
import { findRedis } from './redis.ts'

/**
 * Leaves the browser's path in `MONITAUR_CHROMIUM`. Where a program cannot be had it leaves the reason in
 * `MONITAUR_NO_CHROMIUM`, `MONITAUR_NO_PROMETHEUS` or `MONITAUR_NO_REDIS` and lets the other tests run; those that need it then fail with it.
 */
export default async function setup(): Promise<void> {
  await orReason('MONITAUR_NO_CHROMIUM', async () => {
    process.env['MONITAUR_CHROMIUM'] = await findChromium()
  })
  await orReason('MONITAUR_NO_PROMETHEUS', findPrometheus)
  await orReason('MONITAUR_NO_REDIS', findRedis)
}

async function orReason(variable: string, find: () => Promise<unknown>): Promise<void> {
  try {
    await find()
  } catch (thrown) {
    const { message } = thrown as Error
    process.env[variable] = message // so that no test tries it again
    say(message)
  }
}
