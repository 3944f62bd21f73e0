/** A worker that answers on a port which it is handed. */
import { serveWorker } from 'monitaur/worker'

self.addEventListener('message', ({ data }: MessageEvent<MessagePort>) => serveWorker(data as never), { once: true })
