/** Checks of texts in a configuration. */
import { MonitorError, refuse } from '../../core/index.ts'

const SECRET = { min: 16, max: 1024 }

/** Throws `bad_config`. */
export function checkText(value: unknown, path: string, most: number): string {
  if (typeof value === 'string' && value !== '' && value.length <= most) return value
  return refuse('bad_config', `must be a text of 1 … ${most} characters`, value, path)
}

/** Throws `bad_config`, and never tells the value. */
export function checkSecret(value: unknown, path: string): string {
  const length = typeof value === 'string' ? value.length : -1
  if (length >= SECRET.min && length <= SECRET.max) return value as string
  throw new MonitorError('bad_config', `must be a text of ${SECRET.min} … ${SECRET.max} characters`, path)
}
