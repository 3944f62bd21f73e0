/** A Redis of the bench's own: on loopback, in a folder that goes with it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { cpuOf } from '../server/process.mjs'

export const SECRET = 'a secret of the bench'

/** `wrapped` puts something in front of the command. `sync` is `always`, `everysec`, or `none` for a Redis without a log on its disk. */
export async function startRedis(sync, wrapped = (command) => command) {
  const folder = mkdtempSync(join(tmpdir(), 'monitaur-redis-'))
  const port = await freePort()
  const aof = sync === 'none' ? ['--appendonly', 'no'] : ['--appendonly', 'yes', '--appendfsync', sync]
  const place = ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder, '--save', '', '--loglevel', 'warning']
  const [program, ...args] = wrapped(['redis-server', ...place, ...aof])
  const child = spawn(program, args, { stdio: 'ignore' })
  child.once('error', () => {
    throw new Error('redis-server is missing: apt-get install redis-server (or brew install redis)')
  })
  process.once('exit', () => child.kill('SIGKILL'))
  await pause(500)
  return {
    url: `redis://127.0.0.1:${port}`,
    cpu: () => cpuOf(child.pid),
    async stop() {
      child.kill('SIGKILL')
      await once(child, 'exit')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}
