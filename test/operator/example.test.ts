/** The ten lines that the page offers, run as they are with the built package. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { exampleFor } from '../../demo/operator/example.ts'
import type { MonitorConfig } from '../../src/embed/index.ts'

const folder = fileURLToPath(new URL('../../reports/operator', import.meta.url))

/** The code of the page, between a model and somebody who asks it. */
function run(config: MonitorConfig, asks: string): unknown {
  mkdirSync(folder, { recursive: true })
  const file = join(folder, 'example.mjs')
  const before =
    "const model = async (input) => 'answer to ' + input\nconst said = []\nconst report = ({ client }) => said.push(client.id)\n"
  writeFileSync(file, `${before}${exampleFor(config)}${asks}\nconsole.log(JSON.stringify({ said, answers }))\n`)
  return JSON.parse(execFileSync(process.execPath, [file], { encoding: 'utf8' }))
}

const ASKS = `const answers = []
for (let i = 0; i < 5; i++) answers.push(await watched('the very same probe', 'mallory').catch(({ code }) => code))
answers.push(await watched('the very same probe', 'alice'))`

describe('the code for one’s own app', () => {
  test('is ten lines', () => {
    expect(
      exampleFor({ detectors: ['confidence'] })
        .trimEnd()
        .split('\n'),
    ).toHaveLength(10)
  })

  test('answers, reports who repeats, and refuses them under the policy of the page', () => {
    const config: MonitorConfig = {
      detectors: [{ name: 'text_repetition', threshold: 2 }],
      policy: { mode: 'enforce', throttleAt: 1.5, suspendAt: 2.5 }, // evidence fades by the millisecond
    }
    const answer = 'answer to the very same probe'
    expect(run(config, ASKS)).toEqual({
      said: ['mallory', 'mallory', 'mallory'],
      answers: [answer, answer, 'suspended', 'suspended', 'suspended', answer],
    })
  })

  test('takes bare names, quotes, lists and options that are not set', () => {
    const config: MonitorConfig = {
      detectors: ['text_similarity', { name: 'confidence', label: 'sure', mode: 'margin', outputs: undefined }],
      policy: { mode: 'observe', allow: ["o'brien", 'back\\slash'] } as MonitorConfig['policy'] & object,
    }
    expect(run(config, ASKS)).toMatchObject({ answers: Array(6).fill('answer to the very same probe') })
  })
})
