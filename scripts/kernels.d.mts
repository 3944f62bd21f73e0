export function compileKernels(): Promise<Uint8Array>
export function moduleOf(bytes: Uint8Array): string
