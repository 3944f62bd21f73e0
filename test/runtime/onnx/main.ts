/** Runs a scenario here or in a new worker. */
import { type Scenarios, scenarios } from './scenarios.ts'

export type Where = 'page' | 'worker'

export type RunScenario = (where: Where, name: keyof Scenarios, args: unknown[]) => Promise<unknown>

const runScenario: RunScenario = async (where, name, args) => {
  if (where === 'page') return (scenarios[name] as (...given: unknown[]) => unknown)(...args)
  const worker = new Worker(new URL('./onnx.worker.ts', import.meta.url), { type: 'module' })
  try {
    return await new Promise((resolve, reject) => {
      worker.onerror = ({ message }) => reject(new Error(message))
      worker.onmessage = ({ data }) => ('error' in data ? reject(new Error(data.error)) : resolve(data.value))
      worker.postMessage({ name, args })
    })
  } finally {
    worker.terminate()
  }
}

Object.assign(globalThis, { runScenario })
