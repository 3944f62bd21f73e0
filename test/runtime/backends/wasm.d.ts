/** As Workers import it: compiled beforehand. */
declare module '*.wasm' {
  const module: WebAssembly.Module
  export default module
}
