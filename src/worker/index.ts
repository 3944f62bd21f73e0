/** Detectors and monitors in a Web Worker, behind the same interface as in process. */
export { attach, startWorker, type WorkerHost, type WorkerOptions } from './client.ts'
export type { LinkOptions, WorkerLike } from './link.ts'
export type { Endpoint } from './protocol.ts'
export { type ServeOptions, serveWorker } from './serve.ts'
