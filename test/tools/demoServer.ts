/** The built page on a server, as `npm start` serves it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** `npm start` without the build: the page, and the monitoring server beside it. */
export function startServer(
  port: number,
): Promise<{ server: ChildProcess; address: string; monitoring: Promise<string> }> {
  const server = spawn(process.execPath, ['scripts/start.mjs', '--port', String(port)], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  const find = (line: RegExp) =>
    new Promise<string>((resolve, reject) => {
      server.stdout.on('data', () => {
        const found = line.exec(said)
        if (found !== null) resolve(found[1]!)
      })
      server.once('exit', (code) => reject(new Error(`the server ended with ${code}`)))
    })
  server.stdout.on('data', (chunk) => {
    said += String(chunk)
  })
  const monitoring = find(/^monitaur server: (http:\/\/127\.0\.0\.1:\d+\/) /m)
  monitoring.catch(() => {}) // who asks for it hears of it
  return find(/^monitaur demo: (http:\/\/127\.0\.0\.1:\d+\/)$/m).then((found) => ({
    server,
    address: found,
    monitoring,
  }))
}

/** Interrupts it as Ctrl + C does; its exit status. */
export function stopped(server: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => {
    server.once('exit', (code) => resolve(code))
    server.kill('SIGINT')
  })
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number }
      probe.close(() => resolve(port))
    })
  })
}
