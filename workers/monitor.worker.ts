/** The Web Worker: answers to `startWorker` and `attach`. For plug-in functions write one like it with `configure`. */
import { serveWorker } from '../src/worker/index.ts'

serveWorker(self as unknown as Parameters<typeof serveWorker>[0])
