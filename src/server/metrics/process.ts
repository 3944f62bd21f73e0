/** The process in the metrics, under the names that every dashboard knows. Node only. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Meter } from '@opentelemetry/api'
import type { Connections } from '../serveConnections.ts'

const NANOSECONDS = 1e9

/** Registers what is known of a server's connections. */
export function measureConnections(meter: Meter, of: Connections): void {
  meter
    .createObservableGauge('http_connections', { description: 'Connections open' })
    .addCallback((result) => result.observe(of.open))
  const description = 'Connections ended or refused because there were too many'
  meter
    .createObservableCounter('http_connections_dropped_total', { description })
    .addCallback((result) => result.observe(of.dropped))
}

/** Registers the count of the steps of the system's clock. Returns what counts one. */
export function measureClock(meter: Meter): () => void {
  let steps = 0
  const description = "Steps of the system's clock that the monitor saw"
  meter
    .createObservableCounter('monitaur_clock_steps_total', { description })
    .addCallback((result) => result.observe(steps))
  return () => {
    steps++
  }
}

/** Registers them. Returns the function that ends the measuring. */
export function measureProcess(meter: Meter): () => void {
  const delays = monitorEventLoopDelay({ resolution: 20 })
  delays.enable()
  const startSeconds = (Date.now() - process.uptime() * 1000) / 1000
  gauge('process_resident_memory_bytes', 'Resident memory', () => process.memoryUsage.rss())
  gauge('process_start_time_seconds', 'Start of the process since the epoch', () => startSeconds)
  gauge('nodejs_heap_size_used_bytes', 'Heap in use', () => process.memoryUsage().heapUsed)
  gauge('nodejs_eventloop_lag_p99_seconds', '99th percentile of the event loop delay since the last look', () => {
    const seconds = delays.percentile(99) / NANOSECONDS
    delays.reset()
    return Number.isFinite(seconds) ? seconds : 0
  })
  meter
    .createObservableCounter('process_cpu_seconds_total', { description: 'User and system CPU time' })
    .addCallback((result) => {
      const { user, system } = process.cpuUsage()
      result.observe((user + system) / 1e6)
    })
  return () => delays.disable()

  function gauge(name: string, description: string, read: () => number): void {
    meter.createObservableGauge(name, { description }).addCallback((result) => result.observe(read()))
  }
}
