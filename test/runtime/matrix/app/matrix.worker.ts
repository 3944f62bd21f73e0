/** A module worker that does one thing and answers. */
import { offered } from './offered.ts'

self.onmessage = async ({ data: { name, args } }) => {
  try {
    self.postMessage({ result: await (offered as Record<string, (...args: unknown[]) => unknown>)[name]!(...args) })
  } catch (thrown) {
    self.postMessage({ error: String(thrown) })
  }
}
