/** `monitaur/kernels.wasm`, where a host or bundler compiles it on import, as Cloudflare does. */
declare const module: WebAssembly.Module
export default module
