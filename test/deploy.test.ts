/** The image and the stack, as far as they can be looked at without Docker. */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { checkConfig } from '../src/server/config/config.ts'
import { readConfigFile } from '../src/server/config/source.ts'
import { freePort } from './tools/prometheusServer.ts'
import { type RunningServer, startServer } from './tools/serverCli.ts'

const execute = promisify(execFile)
const root = resolve(fileURLToPath(new URL('..', import.meta.url)))
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const manifest = JSON.parse(read('package.json'))

/** Runs a program of Node. */
async function node(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const ran = execute(process.execPath, args, { env: { PATH: process.env['PATH'], ...env } })
  return ran.then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
  )
}

let server: RunningServer
beforeAll(async () => {
  server = await startServer(['--quiet', '--detector', 'confidence'])
})
afterAll(() => server.stop())

describe('the image', () => {
  /** Instructions of deploy/Dockerfile, a line each. */
  const instructions = read('deploy/Dockerfile')
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line !== '')
    .map((line): [string, string] => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)])
  const all = (name: string) => instructions.filter(([instruction]) => instruction === name).map(([, rest]) => rest)

  test('stands on one exact version of Node, which the package supports', () => {
    const tags = all('FROM').map((line) => /^node:(\d+)\.(\d+)\.\d+-bookworm-slim(?: AS \w+)?$/.exec(line)!)
    expect(tags).toHaveLength(3)
    expect(new Set(tags.map(([tag]) => tag.split(' ')[0])).size).toBe(1)
    expect(manifest.engines.node).toBe('^20.19.0 || >=22.12.0')
    expect(Number(tags[0]![1])).toBeGreaterThan(22)
  })

  test('copies what is in the repository and what .dockerignore lets through', () => {
    const allowed = [...read('.dockerignore').matchAll(/^!(.+)$/gm)].map(([, path]) => path!)
    const sources = all('COPY')
      .filter((line) => !line.startsWith('--from='))
      .flatMap((line) => line.split(' ').slice(0, -1))
    expect(sources).toContain('package-lock.json')
    for (const path of [...sources, ...allowed]) expect(existsSync(join(root, path)), path).toBe(true)
    expect([...new Set(sources)].sort()).toEqual(allowed.sort())
  })

  test('installs the packages of PEERS in the versions that are tested', () => {
    for (const name of /^PEERS="(.+)"$/.exec(all('ARG')[0]!)![1]!.split(' ')) {
      expect(manifest.peerDependencies[name], name).toBeDefined()
      expect(manifest.devDependencies[name], name).toMatch(/^\d/)
    }
  })

  test('ends as a user that is not root, with the program of the package', () => {
    expect(all('USER')).toEqual(['1000:1000'])
    expect(JSON.parse(all('ENTRYPOINT')[0]!)).toEqual(['node', join('/app', manifest.bin.monitaur)])
    expect(JSON.parse(all('CMD')[0]!)).toEqual(['serve'])
  })

  test('its health check tells a server that answers from one that does not', async () => {
    const [program, ...args] = JSON.parse(all('HEALTHCHECK')[0]!.replace(/^.*?CMD /, '')) as string[]
    expect(program).toBe('node')
    expect((await node(args, { MONITAUR_PORT: new URL(server.origin).port })).code).toBe(0)
    expect((await node(args, { MONITAUR_PORT: String(await freePort()) })).code).toBe(1)
  })
})

describe('the stack', () => {
  const text = read('deploy/compose.yaml')
  const { services, volumes } = parse(text, { merge: true }) as Compose
  const names = ['monitaur', 'traffic', 'prometheus', 'grafana']

  test('has a server, users, a Prometheus and a Grafana, in exact versions', () => {
    expect(Object.keys(services)).toEqual(names)
    expect(services['traffic']!.image).toBe(services['monitaur']!.image)
    for (const name of ['prometheus', 'grafana']) expect(services[name]!.image).toMatch(/:v?\d+\.\d+\.\d+$/)
  })

  test.each(names)('%s may do little, and is reached from this machine only', (name) => {
    expect(services[name]).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      restart: 'unless-stopped',
    })
    for (const port of services[name]!.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:(\d+):\1$/)
  })

  test('mounts what is in the repository, read-only, and volumes that it declares', () => {
    const mounts = Object.values(services).flatMap(({ volumes: own = [] }) => own.map((one) => one.split(':')))
    for (const [source, target, mode] of mounts) {
      if (!source!.startsWith('./')) expect(Object.keys(volumes), source).toContain(source)
      else expect([existsSync(join(root, 'deploy', source!)), mode], target).toEqual([true, 'ro'])
    }
    expect(mounts.length).toBeGreaterThan(7)
  })

  test('has no secret of its own: without them it does not start', () => {
    const secrets = Object.values(services).flatMap(({ environment = {} }) => {
      return Object.entries(environment).filter(([name]) => /TOKEN|PASSWORD/.test(name))
    })
    expect(secrets.map(([name]) => name)).toEqual(['MONITAUR_TOKEN', 'MONITAUR_TOKEN', 'GF_SECURITY_ADMIN_PASSWORD'])
    for (const [name, value] of secrets) expect(value, name).toMatch(/^\$\{(?:MONITAUR_TOKEN|GRAFANA_PASSWORD):\?.+\}$/)
    expect(read('.gitignore').split('\n')).toContain('deploy/.env')
  })

  test('starts in order: whoever needs another waits until it is healthy', () => {
    const waits = Object.entries(services).map(([name, { depends_on = {} }]) => [name, Object.entries(depends_on)])
    const healthy = { condition: 'service_healthy' }
    expect(waits).toEqual([
      ['monitaur', []],
      ['traffic', [['monitaur', healthy]]],
      ['prometheus', [['monitaur', healthy]]],
      ['grafana', [['prometheus', healthy]]],
    ])
    for (const name of ['prometheus', 'grafana']) expect(services[name]!.healthcheck?.test?.[0]).toBe('CMD')
    expect(services['traffic']!.healthcheck).toEqual({ disable: true })
  })

  test('its parts know each other by the names and ports they have', () => {
    const scrape = parse(read('deploy/prometheus/prometheus.yml'))
    expect(scrape.scrape_configs[0]).toEqual({ job_name: 'monitaur', static_configs: [{ targets: ['monitaur:8000'] }] })
    const { datasources } = parse(read('deploy/grafana/provisioning/datasources/prometheus.yaml'))
    expect(datasources[0]).toMatchObject({ type: 'prometheus', url: 'http://prometheus:9090', isDefault: true })
    expect(datasources[0].jsonData.timeInterval).toBe(scrape.global.scrape_interval)
    const { providers } = parse(read('deploy/grafana/provisioning/dashboards/monitaur.yaml'))
    expect(services['grafana']!.volumes).toContain(`./grafana/dashboards:${providers[0].options.path}:ro`)
    expect(services['traffic']!.command).toContain('http://monitaur:8000')
  })

  test('the server has longer to stop than it gives its requests', async () => {
    const config = checkConfig(await readConfigFile(join(root, 'deploy/monitaur.yaml')))
    expect(Number.parseInt(services['monitaur']!.stop_grace_period!, 10) * 1000).toBeGreaterThan(
      config.limits.shutdownMs,
    )
    expect(config.models.map(({ name }) => name)).toEqual(['assistant', 'claims'])
  })
})

interface Compose {
  readonly services: Readonly<Record<string, ComposeService>>
  readonly volumes: Readonly<Record<string, unknown>>
}
interface ComposeService {
  readonly image?: string
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly volumes?: readonly string[]
  readonly ports?: readonly string[]
  readonly depends_on?: Readonly<Record<string, unknown>>
  readonly healthcheck?: { readonly test?: readonly string[] }
  readonly stop_grace_period?: string
}

describe('the README', () => {
  test('lists every alert with its severity', () => {
    const { groups } = parse(read('deploy/prometheus/rules.yml')) as {
      groups: { rules: { alert?: string; labels?: { severity: string } }[] }[]
    }
    const rules = groups.flatMap((group) => group.rules).filter(({ alert }) => alert !== undefined)
    const listed = [...read('deploy/README.md').matchAll(/^\| (Monitaur[^|]+) \|.*\| (\w+) \|$/gm)].flatMap(
      ([, names, severity]) => {
        return names!.split(', ').map((alert) => [alert, severity])
      },
    )
    expect(listed).toEqual(rules.map(({ alert, labels }) => [alert, labels!.severity]))
  })
})

describe('the traffic generator', () => {
  const program = join(root, 'deploy/traffic.mjs')

  test('--help names its options and exit codes', async () => {
    const { code, stdout } = await node([program, '--help'])
    expect(code).toBe(0)
    for (const option of ['--target', '--seconds', '--rate', '--seed']) expect(stdout).toContain(option)
    expect(stdout).toContain('exit codes: 0 done')
  })

  test.each([
    [['--rate', 'fast'], "--rate must be a number from 0.01 to 1000, got 'fast'"],
    [['--seconds', '-1'], '--seconds'],
    [['--target', 'monitaur'], 'must be an address such as http://127.0.0.1:8000'],
    [['--sede', '1'], '--sede'],
  ])('%j is refused with exit code 1', async (args, message) => {
    const { code, stdout, stderr } = await node([program, ...args])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain(message)
    expect(stderr).not.toContain('    at ')
  })

  test('says that there is no server, and how to start one', async () => {
    const { code, stderr } = await node([program, '--target', `http://127.0.0.1:${await freePort()}`])
    expect(code).toBe(1)
    expect(stderr).toContain(
      '(connection refused); start one with\n  node dist/cli.js serve --config deploy/monitaur.yaml',
    )
  })

  test('says that a server has other models', async () => {
    const { code, stderr } = await node([program, '--target', server.origin])
    expect(code).toBe(1)
    expect(stderr).toContain("the server has no model 'assistant'; start it with --config deploy/monitaur.yaml")
  })
})
