/**
 * The files of a model on a hub. transformers.js asks for them as if this were its cache, and gets them through our own
 * store: checked, kept, each failure with its own error.
 */
import { isMonitorError, type MonitorError } from '../../core/index.ts'
import type { ProgressEvent } from '../embedder.ts'
import { isNode } from '../onnx/host.ts'
import { absolute } from '../onnx/packages.ts'
import { loadModel } from '../store/index.ts'
import type { TransformersEnv } from './module.ts'
import type { Settings } from './options.ts'

/** What transformers.js wants of a cache, and of a function that fetches. */
export interface HubFiles {
  /** URL of the folder with the model's files; in Node, with `localPath`, its path: then nothing here is asked. */
  readonly folder: string
  /** The hub. */
  readonly host: string
  /** Its path after the host, as transformers.js wants it, the revision in place: not all that it does heeds its option. */
  readonly template: string
  match(request: string): Promise<Response | undefined>
  put(request: string, response: Response): Promise<void>
  fetch(request: string | URL, init?: RequestInit): Promise<Response>
  /** Gets these files, all at the same time. Rejects with `model_mismatch`; another failure is kept for later. */
  prefetch(files: readonly string[]): Promise<void>
  /** What could not be had, and why, in the order of asking. */
  failures(): readonly (readonly [file: string, error: MonitorError])[]
}

/** The files of a model. `onProgress` gets the share of all files, 0 until all are asked for and the size of each known. */
export function hubFiles(
  settings: Settings,
  env: TransformersEnv,
  onProgress: (event: ProgressEvent) => void,
): HubFiles {
  const { model, revision, localPath, maxBytes, cache } = settings
  const isFolder = localPath !== undefined // a folder that is served is a hub without revisions
  const host = isFolder ? folderUrl(localPath) : (settings.host ?? env.remoteHost)
  const template = isFolder ? '{model}/' : env.remotePathTemplate.replaceAll('{revision}', encodeURIComponent(revision))
  const folder = joined(host, template.replaceAll('{model}', model), '')
  const loads = new Map<string, Promise<Uint8Array>>()
  const failed = new Map<string, MonitorError>()
  const sizes = new Map<string, { loaded: number; total?: number }>()
  let isListed = false
  const original = (env as unknown as { fetch: typeof fetch }).fetch

  function load(file: string): Promise<Uint8Array> {
    const known = loads.get(file)
    if (known !== undefined) return known
    sizes.set(file, { loaded: 0 })
    const loading = loadModel(folder + file, {
      revalidate: isFolder,
      cache,
      maxBytes,
      sha256: settings.sha256?.[file],
      onProgress(event) {
        sizes.set(file, event)
        onProgress({ ...event, overall: isListed ? share(sizes.values()) : 0 })
      },
    })
    loading.catch((thrown: unknown) => {
      sizes.delete(file)
      if (isMonitorError(thrown)) failed.set(file, thrown)
    })
    loads.set(file, loading)
    return loading
  }

  return {
    folder,
    host,
    template,
    async match(request) {
      if (!request.startsWith(folder)) return undefined
      const bytes = (await load(request.slice(folder.length))) as Uint8Array<ArrayBuffer>
      return new Response(bytes, { headers: { 'content-length': String(bytes.length) } })
    },
    async put() {},
    async fetch(request, init) {
      const file = String(request).slice(folder.length)
      const failure = String(request).startsWith(folder) ? failed.get(file) : undefined
      // A second try, as it may have the user's login; but what has a digest comes checked or not at all.
      if (failure !== undefined && settings.sha256?.[file] !== undefined) throw failure
      return original(request, init)
    },
    async prefetch(files) {
      isListed = true
      await Promise.all(
        files.map((file) =>
          load(file).catch((thrown: unknown) => {
            if (isMonitorError(thrown) && thrown.code === 'model_mismatch') throw thrown
          }),
        ),
      )
    },
    failures: () => [...failed],
  }
}

function folderUrl(localPath: string): string {
  return isNode() ? localPath : absolute(localPath)
}

/** Parts with one slash between them, as transformers.js puts them together. */
function joined(...parts: readonly string[]): string {
  return parts.map((part, i) => part.replace(i === 0 ? /\/$/ : /^\/|\/$/g, '')).join('/')
}

/** 0 as long as the size of one of them is unknown. */
function share(sizes: Iterable<{ readonly loaded: number; readonly total?: number }>): number {
  let loaded = 0
  let total = 0
  for (const size of sizes) {
    loaded += size.loaded
    total += size.total ?? Number.POSITIVE_INFINITY
  }
  return loaded / total
}
