/** Files that the bundler turns into addresses. */
declare module '*.onnx?inline' {
  /** `data:` with the file in base64. */
  const dataUrl: string
  export default dataUrl
}

interface ImportMeta {
  readonly env: { readonly DEV: boolean }
}
