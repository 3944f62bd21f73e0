/** The scenarios in a module worker. */
import { type Scenarios, scenarios } from './scenarios.ts'

self.onmessage = async ({ data: { name, args } }: MessageEvent<{ name: keyof Scenarios; args: unknown[] }>) => {
  try {
    self.postMessage({ value: await (scenarios[name] as (...given: unknown[]) => unknown)(...args) })
  } catch (thrown) {
    self.postMessage({ error: String(thrown) })
  }
}
