declare module 'kernels.wasm' {
  const module: import('../../src/core/index.ts').WasmModule
  export default module
}
