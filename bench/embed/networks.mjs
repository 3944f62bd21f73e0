/** Running ONNX models in Node: natively where that runtime is installed, else on WebAssembly with one thread. */

const QUIET = { logSeverityLevel: 3 }

/**
 * A model on a runtime.
 *
 * @param {string} file
 * @param {'native' | 'wasm' | 'best'} backend `best`: native if installed.
 * @returns `{ backend, run(data, shape, output) }`: the output of that name as one Float32Array for the whole batch.
 *   Throws where the backend is not there.
 */
export async function openModel(file, backend) {
  const opened = backend === 'wasm' ? undefined : await openNative(file, backend)
  const { name, runtime, session } = opened ?? (await openWasm(file))
  const [input] = session.inputNames
  const run = async (data, shape, output = session.outputNames[0]) => {
    const results = await session.run({ [input]: new runtime.Tensor('float32', data, shape) }, [output])
    return results[output].data
  }
  return { backend: name, run, close: () => session.release() }
}

async function openNative(file, backend) {
  try {
    const runtime = await import('onnxruntime-node')
    const options = { ...QUIET, intraOpNumThreads: 1, interOpNumThreads: 1 }
    return { name: 'native', runtime, session: await runtime.InferenceSession.create(file, options) }
  } catch (thrown) {
    if (backend === 'native') throw new Error(`the native runtime is not here: ${thrown.message}`, { cause: thrown })
    return undefined
  }
}

async function openWasm(file) {
  const runtime = await import('onnxruntime-web')
  runtime.env.wasm.numThreads = 1
  const session = await runtime.InferenceSession.create(file, { ...QUIET, executionProviders: ['wasm'] })
  return { name: 'wasm', runtime, session }
}

/**
 * Vectors of pictures by a network, in batches.
 *
 * @param model As of {@link openModel}.
 * @param prepare `(picture, out)`: writes the input of one picture, planes of `side` × `side`, to a Float32Array.
 */
export async function embedByNetwork(model, pictures, { side, prepare, output, batch = 32 }) {
  const area = 3 * side * side
  const vectors = []
  for (let start = 0; start < pictures.length; start += batch) {
    const some = pictures.slice(start, start + batch)
    const data = new Float32Array(some.length * area)
    for (const [i, picture] of some.entries()) prepare(picture, data.subarray(i * area, (i + 1) * area))
    const all = await model.run(data, [some.length, 3, side, side], output)
    const length = all.length / some.length
    for (let i = 0; i < some.length; i++) vectors.push(toUnit(all.subarray(i * length, (i + 1) * length)))
  }
  return vectors
}

/** A copy of length 1; a zero vector stays zero. */
export function toUnit(vector) {
  let squares = 0
  for (const value of vector) squares += value * value
  const factor = squares > 0 ? 1 / Math.sqrt(squares) : 0
  return Float32Array.from(vector, (value) => value * factor)
}
