/** Node's own modules, asked for at run time, so that no bundle of browser code holds a trace of them. */

/** Files; undefined where there are none, as in browsers. */
export function nodeFiles() {
  return host()?.getBuiltinModule?.('node:fs').promises
}

/** Paths. Ask only where there are files. */
export function nodePaths() {
  return host()!.getBuiltinModule('node:path')
}

/** The folder of the user. Ask only where there are files. */
export function homeFolder(): string {
  return host()!.getBuiltinModule('node:os').homedir()
}

/** Of Node, Deno and Bun. */
function host(): NodeJS.Process | undefined {
  return (globalThis as { process?: NodeJS.Process }).process
}
