/** Empties `dist/` before a build, so that nothing old is published. */
import { rmSync } from 'node:fs'

rmSync(new URL('../dist', import.meta.url), { recursive: true, force: true })
