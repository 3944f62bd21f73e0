/** A Worker with our own network on a module that was compiled beforehand; `/run` as in every host, the rest for faults. */
import { copyNet, fromOnnx } from 'monitaur'
import wasmModule from 'onnxruntime-web/ort-wasm-simd-threaded.wasm'
import emptyModule from './empty.wasm'
import { pictureStream } from './pictures.ts'
import { type GoldenPicture, runBackend } from './run.ts'

const { instantiate, Instance } = WebAssembly
/** How often the runtime was started in this isolate. */
let starts = 0

class CountedInstance extends Instance {
  constructor(module: WebAssembly.Module, imports: WebAssembly.Imports) {
    super(module, imports)
    if (module === wasmModule) starts++
  }
}
Object.assign(WebAssembly, { Instance: CountedInstance })

/** Answers with what the call gave, or the error in words. */
export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url)
    try {
      const result = await CALLS[pathname]!(searchParams, request)
      return Response.json({ result, starts, isRestored: WebAssembly.instantiate === instantiate })
    } catch (thrown) {
      const { code, message } = thrown as { readonly code?: string; readonly message: string }
      return Response.json({ code, message, starts, isRestored: WebAssembly.instantiate === instantiate })
    }
  },
}

let shared: ReturnType<typeof copyNet> | undefined

const CALLS: Readonly<Record<string, (options: URLSearchParams, request: Request) => Promise<unknown>>> = {
  async '/run'(_, request) {
    const { count, golden } = (await request.json()) as { count: number; golden: readonly GoldenPicture[] }
    return runBackend('wasm', count, golden, { wasmModule })
  },
  async '/vector'(options) {
    shared ??= copyNet({ wasmModule })
    const place = Number(options.get('picture'))
    return Array.from(await shared(pictureStream(place + 1)[place]!))
  },
  async '/another-module'() {
    return (await copyNet({ wasmModule: emptyModule }).warmup()).backend
  },
  async '/model'(_, request) {
    const model = Uint8Array.from((await request.json()) as number[])
    return (await fromOnnx({ model, input: 'thumbnail', wasmModule }).warmup()).backend
  },
  async '/without'() {
    return (await copyNet().warmup()).backend
  },
}
