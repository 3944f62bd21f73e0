/** Starts a Deno kernel and runs code in it, as Jupyter does. */
import { spawn } from 'node:child_process'
import { createHmac, randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { zmtpSocket } from './zmtp.mjs'

const START_MS = 60_000
const PORTS = ['shell_port', 'iopub_port', 'stdin_port', 'control_port', 'hb_port']
const DELIMITER = '<IDS|MSG>'

/** Starts `deno jupyter --kernel` in a folder; stop it after use. `execute` gives the outputs of a cell, as notebooks store them. */
export async function startKernel({ deno, folder }) {
  const place = mkdtempSync(join(tmpdir(), 'monitaur-kernel-'))
  const connection = { transport: 'tcp', ip: '127.0.0.1', key: randomUUID(), signature_scheme: 'hmac-sha256' }
  for (const [i, port] of (await freePorts(PORTS.length)).entries()) connection[PORTS[i]] = port
  writeFileSync(join(place, 'connection.json'), JSON.stringify(connection))
  const args = ['jupyter', '--kernel', '--conn', join(place, 'connection.json')]
  const env = { ...process.env, NO_COLOR: '1', DENO_NO_UPDATE_CHECK: '1' }
  const child = spawn(deno, args, { cwd: folder, env, stdio: ['ignore', 'ignore', 'pipe'], detached: true })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said += text
  })

  const listeners = new Map()
  let fail = () => {}
  child.once('exit', () => fail())
  const onMessage = (frames) => {
    const at = frames.findIndex((part) => part.toString() === DELIMITER)
    const [header, parent, , content] = frames.slice(at + 2).map((part) => JSON.parse(part.toString()))
    listeners.get(parent.msg_id)?.({ type: header.msg_type, content })
  }
  let iopub
  let shell
  const stop = () => {
    shell?.close()
    iopub?.close()
    if (child.exitCode === null) process.kill(-child.pid, 'SIGKILL') // with whatever it has started
    child.stderr.destroy()
    rmSync(place, { recursive: true, force: true })
  }
  try {
    iopub = await patiently(() => zmtpSocket({ port: connection.iopub_port, type: 'SUB', onMessage }), child)
    shell = await patiently(() => zmtpSocket({ port: connection.shell_port, type: 'DEALER', onMessage }), child)
    await isHeard()
  } catch (error) {
    stop()
    throw new Error(`the Deno kernel did not start: ${error.message}\n${said}`)
  }

  return { execute, stop }

  /** What the kernel says before it knows of us is lost, its being idle too: asks until that is heard. */
  async function isHeard() {
    const patience = () => new Promise((done) => setTimeout(done, 500, false))
    for (let tries = 0; tries < 20; tries++) {
      if ((await Promise.race([request('', []), patience()])) !== false) return
    }
    throw new Error('it does not answer')
  }

  /**
   * The outputs of a cell. What it prints goes through a pipe of the kernel's and may come after its being idle, as if the
   * next cell had printed it; but in order: so a mark is printed after it, and all that comes before the mark is the cell's.
   */
  async function execute(code) {
    const outputs = []
    await request(code, outputs)
    const mark = `end of ${randomUUID()}\n`
    await request(`console.log(${JSON.stringify(mark.trimEnd())})`, outputs, mark)
    return outputs
  }

  /** Resolves when the kernel is idle again, has replied, and has printed the mark, which is taken away. */
  function request(code, outputs, mark) {
    const id = randomUUID()
    return new Promise((resolve, reject) => {
      let [isIdle, isReplied, isMarked] = [false, false, mark === undefined]
      fail = () => reject(new Error(`the kernel ended\n${said}`))
      listeners.set(id, ({ type, content }) => {
        if (type === 'status') isIdle ||= content.execution_state === 'idle'
        else if (type === 'execute_reply') isReplied = true
        else add(outputs, type, content)
        isMarked ||= takeMark(outputs, mark)
        if (isIdle && isReplied && isMarked) resolve()
      })
      const header = {
        msg_id: id,
        session: 'monitaur',
        username: '',
        date: new Date().toISOString(),
        msg_type: 'execute_request',
      }
      const content = {
        code,
        silent: false,
        store_history: code !== '' && mark === undefined,
        user_expressions: {},
        allow_stdin: false,
        stop_on_error: true,
      }
      const parts = [{ ...header, version: '5.3' }, {}, {}, content].map((part) => JSON.stringify(part))
      const signature = createHmac('sha256', connection.key).update(parts.join('')).digest('hex')
      shell.send([DELIMITER, signature, ...parts])
    })
  }
}

/** Whether the mark was there: it may come in pieces. */
function takeMark(outputs, mark) {
  const output = outputs.find(({ name, text }) => name === 'stdout' && text.endsWith(mark))
  if (output === undefined) return false
  output.text = output.text.slice(0, -mark.length)
  if (output.text === '') outputs.splice(outputs.indexOf(output), 1)
  return true
}

/** Messages to the outputs of a cell; texts of one stream that follow each other are one. */
function add(outputs, type, content) {
  const last = outputs.at(-1)
  if (type === 'stream' && last?.output_type === 'stream' && last.name === content.name) last.text += content.text
  else if (type === 'stream') outputs.push({ output_type: 'stream', name: content.name, text: content.text })
  else if (type === 'error') outputs.push({ output_type: 'error', ...content })
  else if (type === 'display_data')
    outputs.push({ output_type: type, data: content.data, metadata: content.metadata ?? {} })
  else if (type === 'execute_result') {
    const { data, metadata = {}, execution_count } = content
    outputs.push({ output_type: type, data, execution_count, metadata })
  }
}

async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => new Promise((done) => server.once('listening', done))))
  const ports = servers.map((server) => server.address().port)
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))))
  return ports
}

/** The kernel takes a moment to listen. */
async function patiently(open, child) {
  for (const deadline = Date.now() + START_MS; ; ) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`)
    try {
      return await open()
    } catch (error) {
      if (Date.now() > deadline) throw error
      await new Promise((done) => setTimeout(done, 100))
    }
  }
}
