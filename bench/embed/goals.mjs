/** What is wanted of the library, and whether it is so: rows in the common form of the reports. */

/**
 * Rows `{ name, value, unit, spread?, goal?, met }` of one half. `met` is true, false, or null for information.
 *
 * @param result `{ images, times, edits, paraphrases, tables }` as measured; a part that was not measured is undefined.
 */
export function rowsOf({ images, times, edits, paraphrases, tables }, half) {
  return [
    ...(images ?? []).flatMap((set) => imageRows(set, half)),
    ...(images === undefined ? [] : bestHardRows(images, half)),
    ...(times === undefined ? [] : timeRows(times)),
    ...(edits === undefined ? [] : editRows(edits, half)),
    ...(paraphrases ?? []).map(({ name, auc }) => info(`paraphrases ${name}, ROC AUC`, auc)),
    ...(tables ?? []).flatMap((table) => tableRows(table, half)),
  ]
}

const LEAST_MEAN = { photos: 0.998, CIFAR: 0.96 }
const LEAST_HARD = { photos: 0.95, CIFAR: 0.9 }
const LEAST_MIRROR = { photos: 0.95, CIFAR: 0.95 }

function imageRows({ name: set, methods }, half) {
  return methods.flatMap((method) => {
    const label = `${method.name}, ${set} (${half})`
    if (method.missing !== undefined) return method.ours ? [absent(`${label}: ${method.missing}`, LEAST_MEAN[set])] : []
    const [at, strict] = method.direct
    const goal = method.ours ? LEAST_MEAN[set] : undefined
    const mirrorGoal = method.ours ? LEAST_MIRROR[set] : undefined
    const rows = [
      atLeast(`${label}, mean at 0.01 %`, strict.means.plain, goal),
      info(`${label}, mean at 0.1 %`, at.means.plain),
      info(`${label}, hard set at 0.1 %`, at.means.hard),
      info(`${label}, others at 0.1 %`, at.means.more),
      info(`${label}, mirror at 0.1 %`, at.means.mirror),
    ]
    if (method.preset) {
      rows.push(info(`${label}, mean at the threshold 0.9`, method.preset.means.plain))
      rows.push(info(`${label}, unrelated pairs at the threshold 0.9`, method.preset.falseRate))
    }
    if (method.mirrored === null) return rows
    const [mirrored, mirroredStrict] = method.mirrored
    return [
      ...rows,
      atLeast(`${label}, mirror compared: mirror at 0.1 %`, mirrored.means.mirror, mirrorGoal),
      info(`${label}, mirror compared: mean at 0.01 %`, mirroredStrict.means.plain),
    ]
  })
}

/** The hard set counts for the better of the descriptor and the network. */
function bestHardRows(images, half) {
  return images.flatMap(({ name, methods }) => {
    const values = methods.filter((m) => m.ours && m.missing === undefined).map((m) => m.direct[0].means.hard)
    if (LEAST_HARD[name] === undefined || values.length === 0) return []
    return [
      atLeast(
        `better of descriptor and network, ${name} (${half}), hard set at 0.1 %`,
        Math.max(...values),
        LEAST_HARD[name],
      ),
    ]
  })
}

function timeRows({ rows, ratio }) {
  const timed = rows.map(({ key, name, backend, median, min, max }) => {
    const row = { name: `${name}, ${backend}, 224 × 224`, value: median, unit: 'ms', spread: [min, max] }
    return key === 'descriptor' ? { ...row, goal: 1, met: median <= 1 } : { ...row, met: null }
  })
  const name = 'network ÷ MobileNetV2, time per picture on WASM in Node'
  if (ratio === undefined)
    return [...timed, { name: `${name}: not measured`, value: null, unit: '', goal: 0.1, met: false }]
  const { median, min, max } = ratio
  return [...timed, { name, value: median, unit: '', spread: [min, max], goal: 0.1, met: median <= 0.1 }]
}

function editRows(edits, half) {
  const mean = edits.reduce((sum, set) => sum + set.mean, 0) / edits.length
  return [
    atLeast(`typed edits (${half}), mean at 0.1 %`, mean, 0.98),
    ...edits.map((set) => info(`typed edits (${half}), ${set.name} at 0.1 %`, set.mean)),
  ]
}

function tableRows({ name, flagged, nudged, missing }, half) {
  if (missing !== undefined) return [absent(`tables, ${name} (${half}): ${missing}`, 0.95)]
  return [
    {
      name: `tables, ${name} (${half}), distinct people flagged`,
      value: flagged,
      unit: 'share',
      goal: 0.01,
      met: flagged <= 0.01,
    },
    atLeast(`tables, ${name} (${half}), copies with a nudged number flagged`, nudged, 0.95),
  ]
}

function atLeast(name, value, goal) {
  return goal === undefined ? info(name, value) : { name, value, unit: 'share', goal, met: value >= goal }
}

function info(name, value) {
  return { name, value, unit: 'share', met: null }
}

function absent(name, goal) {
  return {
    name,
    value: null,
    unit: 'share',
    ...(goal === undefined ? {} : { goal }),
    met: goal === undefined ? null : false,
  }
}
