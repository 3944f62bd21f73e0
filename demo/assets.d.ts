/** Files that the bundler turns into addresses. */
declare module '*.onnx?inline' {
  /** `data:` with the file in base64. */
  const dataUrl: string
  export default dataUrl
}

declare module '*?worker&url' {
  /** Where the built worker is. */
  const url: string
  export default url
}

interface ImportMeta {
  readonly env: { readonly DEV: boolean }
}
