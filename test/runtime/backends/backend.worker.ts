/** A module worker with a model in it, as an app has one. */
import { runBackend } from './run.ts'

self.onmessage = async ({ data: { backend, count, golden } }) => {
  try {
    self.postMessage(await runBackend(backend, count, golden))
  } catch (thrown) {
    self.postMessage({ error: String(thrown) })
  }
}
