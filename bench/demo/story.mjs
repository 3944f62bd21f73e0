/** The story of the demo page over ten seeds, in Node: where each attack is caught, and where it would have succeeded. */
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { rolldown } from 'rolldown'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** One row a run, for the given attacks and seeds. `scope` is whether accounts of one user are watched together. */
export async function storyTable(attacks, seeds, { cast = 'story', scope = 'client' } = {}) {
  const { runStory, createDigitNet } = await bundled()
  const net = createDigitNet(readFileSync(`${root}models/digits.onnx`))
  const rows = []
  for (const attack of attacks) {
    for (const seed of seeds) {
      const events = []
      const from = performance.now()
      await runStory(
        { cast, attack, protection: true, seed },
        {
          answer: async (picture) => net(picture),
          now: () => performance.now(),
          pause: async () => {},
          onEvent: (event) => events.push(event),
          scope,
        },
      )
      rows.push(rowOf(attack, seed, events, performance.now() - from))
    }
  }
  return rows
}

function rowOf(attack, seed, events, ms) {
  const { lanes } = events.find(({ kind }) => kind === 'cast')
  const done = events.at(-1)
  const caught = events.filter(({ kind }) => kind === 'caught')
  const success = events.find(({ kind }) => kind === 'success')
  const hostile = lanes.findIndex(({ isAttacker }) => isAttacker)
  const own = caught.find(({ lane }) => lane === hostile)
  return {
    attack,
    seed,
    caughtAt: own?.number,
    by: own === undefined ? '' : foundBy(own.following),
    succeedsAt: success?.number,
    isElsewhere: success?.isElsewhere,
    labels: success === undefined ? '' : `${success.original.label} → ${success.adversarial.label}`,
    change: success === undefined ? undefined : Math.round(success.change),
    honestFlagged: caught.filter(({ lane }) => lane !== hostile).map(({ lane }) => lanes[lane].role),
    alike: lanes.map(({ role }, lane) => [role, done.alike[lane], done.queries[lane]]),
    ms: Math.round(ms),
  }
}

/** What gave it away. */
function foundBy({ test, taken, takenDown, left, leftDown, slopes, correlation, halvings, towards }) {
  if (test === 'choice') return `choice: ${takenDown} of ${taken} taken fell, ${leftDown} of ${left} left`
  if (test === 'slope') return `slope: ${slopes} steps, correlation ${correlation.toFixed(2)}`
  return `bisection: ${towards} of ${halvings}`
}

async function bundled() {
  const build = await rolldown({
    cwd: root,
    input: 'story',
    platform: 'node',
    external: [/^(onnxruntime|@huggingface|sharp|linkedom)/],
    plugins: [
      {
        name: 'story',
        resolveId: (id) => (id === 'story' ? id : null),
        load: (id) =>
          id === 'story'
            ? `export { runStory } from '${root}demo/story/run.ts'
               export { createDigitNet } from '${root}demo/story/digitNet.ts'`
            : null,
      },
    ],
  })
  const file = join(tmpdir(), `monitaur-story-${process.pid}.mjs`)
  await build.write({ file, codeSplitting: false })
  return import(pathToFileURL(file).href)
}
