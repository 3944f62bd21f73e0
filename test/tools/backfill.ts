/** A Prometheus that knows a made past: texts of `/metrics` at chosen times. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readExposition } from '../../demo/operator/promql/samples.ts'
import { findPrometheus } from './prometheus.ts'
import { freePort, type PrometheusServer, type Sample, startPrometheus } from './prometheusServer.ts'

export interface Scrape {
  readonly seconds: number
  readonly exposition: string
}

export interface BackfilledPrometheus {
  /** What an expression gives at a time. */
  at(expression: string, seconds: number): Promise<readonly Sample[]>
  stop: PrometheusServer['stop']
}

/** Starts it over an empty folder. `target` is put on every series, and `up` is told, as a scrape does. */
export async function startBackfilled(
  folder: string,
  scrapes: readonly Scrape[],
  target: Readonly<Record<string, string>>,
): Promise<BackfilledPrometheus> {
  const { prometheus: program, promtool } = await findPrometheus()
  const [text, data, config] = ['past.txt', 'data', 'prometheus.yml'].map((name) => join(folder, name))
  writeFileSync(text!, openMetrics(scrapes, target))
  writeFileSync(config!, 'scrape_configs: []\n')
  execFileSync(promtool, ['tsdb', 'create-blocks-from', 'openmetrics', text!, data!], { stdio: 'pipe' })
  const server = await startPrometheus({ program, config: config!, folder: data!, port: await freePort() })
  return {
    stop: server.stop,
    async at(expression, seconds) {
      const { resultType, result } = await server.get(`query?query=${encodeURIComponent(expression)}&time=${seconds}`)
      if (resultType === 'scalar') return [{ labels: {}, value: Number(result[1]) }]
      return result.map((one: { metric: Sample['labels']; value: [number, string] }) => {
        return { labels: one.metric, value: Number(one.value[1]) }
      })
    },
  }
}

/** OpenMetrics with times: the values of each series one after the other. */
function openMetrics(scrapes: readonly Scrape[], target: Readonly<Record<string, string>>): string {
  const series = new Map<string, string[]>()
  for (const { seconds, exposition } of scrapes) {
    for (const { name, labels, value } of [...readExposition(exposition), { name: 'up', labels: {}, value: 1 }]) {
      const inside = Object.entries({ ...labels, ...target }).map(([label, said]) => `${label}=${JSON.stringify(said)}`)
      const key = `${name}{${inside.join()}}`
      series.set(key, [...(series.get(key) ?? []), `${key} ${value} ${seconds}`])
    }
  }
  return `${[...series.values()].flat().join('\n')}\n# EOF\n`
}
