/** Who may import whom, and what the core may not touch. The compiler fences the rest: see src/core/tsconfig.json. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')

interface Rule {
  readonly layers: readonly string[]
  readonly packages: readonly (string | RegExp)[]
  /** Made files outside of src. */
  readonly files?: readonly string[]
}

/** Layer to the layers and packages it may import, the layers through their index only. */
const MAY: Readonly<Record<string, Rule>> = {
  core: { layers: [], packages: [] },
  laws: { layers: ['core'], packages: [] },
  embed: {
    layers: ['core'],
    packages: ['sharp', '@huggingface/transformers', 'onnxruntime-web/webgpu', 'onnxruntime-web/wasm'],
  },
  edge: { layers: ['core', 'embed'], packages: ['hono'] },
  worker: { layers: ['core', 'embed'], packages: [] },
  eval: {
    layers: ['core', 'embed'],
    packages: [/^node:/, 'onnxruntime-node', '@observablehq/plot', 'linkedom'],
  },
  server: {
    layers: ['core', 'embed', 'edge', 'eval'],
    packages: [/^node:/, /^hono(?:\/|$)/, '@hono/node-server', /^@opentelemetry\//, 'yaml', 'uplot', '@redis/client'],
    files: ['deploy/grafana/dashboards/monitaur.json'],
  },
}

function filesUnder(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(folder, file))
    .sort()
}

function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8')
  return [...text.matchAll(/(?:\bfrom\s+|\bimport\s+|\bimport\()\s*'([^']+)'/g)].map((match) => match[1]!)
}

const sources = filesUnder('src')

describe('the layers', () => {
  for (const file of sources) {
    const [, layer] = relative(root, join(root, file)).split('/')
    if (layer === undefined || layer.endsWith('.ts')) continue
    test(`${file} imports only what its layer may`, () => {
      const rule = MAY[layer]
      expect(rule, `the layer '${layer}' is not in the table`).toBeDefined()
      for (const specifier of importsOf(file)) {
        if (!specifier.startsWith('.')) {
          expect(
            rule!.packages.some((p) => (typeof p === 'string' ? p === specifier : p.test(specifier))),
            specifier,
          ).toBe(true)
          continue
        }
        const target = relative(root, resolve(root, dirname(file), specifier))
        const [, other, ...rest] = target.split('/')
        if (other === layer || rule!.files?.includes(target)) continue
        expect(rule!.layers, `${file} imports ${specifier}`).toContain(other)
        expect(
          ['index.ts', 'monitor/index.ts', 'pictures/index.ts', 'node/index.ts'],
          `${specifier} must go through an index`,
        ).toContain(rest.join('/'))
      }
    })
  }

  test('are allowed nothing that no file of theirs imports', () => {
    for (const [layer, { layers, packages }] of Object.entries(MAY)) {
      const own = sources.filter((file) => file.startsWith(`src/${layer}/`))
      const imported = own.flatMap((file) =>
        importsOf(file).map((at) => (at.startsWith('.') ? join(dirname(file), at).split('/')[1]! : at)),
      )
      const isUsed = (one: string | RegExp) =>
        imported.some((at) => (typeof one === 'string' ? one === at : one.test(at)))
      expect(
        [...layers, ...packages].filter((one) => !isUsed(one)),
        layer,
      ).toEqual([])
    }
  })

  test('the entry points use doors only', () => {
    for (const file of [...filesUnder('workers'), ...filesUnder('demo')]) {
      for (const specifier of importsOf(file)) {
        const target = relative(root, resolve(root, dirname(file), specifier))
        if (!specifier.startsWith('.') || !target.startsWith('src/')) continue
        expect(target, file).toMatch(/^src\/(?:[a-z]+\/)?(?:monitor\/|metrics\/)?index\.ts$/)
      }
    }
  })

  test('the cockpit, which runs in a browser, shares types with the server and nothing else', () => {
    const isCockpit = (file: string) => file.startsWith('src/server/cockpit/')
    for (const file of sources.filter((one) => one.startsWith('src/server/'))) {
      for (const [, type, specifier = ''] of readFileSync(join(root, file), 'utf8').matchAll(
        /^import (type )?[^']*'([^']+)'/gm,
      )) {
        const target = specifier.startsWith('.') ? join(dirname(file), specifier) : specifier
        if (isCockpit(file))
          expect(target === 'uplot' || isCockpit(target) || type, `${file}: ${specifier}`).toBeTruthy()
        else expect(isCockpit(target) || target === 'uplot', `${file}: ${specifier}`).toBe(false)
      }
    }
  })

  test('the evaluation runs anywhere, apart from its folder for Node', () => {
    const isNode = (file: string) => file.startsWith('src/eval/node/')
    for (const file of sources.filter((one) => one.startsWith('src/eval/') && !isNode(one))) {
      for (const specifier of importsOf(file)) {
        expect(specifier.startsWith('.') && !isNode(join(dirname(file), specifier)), `${file}: ${specifier}`).toBe(true)
      }
    }
  })

  test('every index writes its names out', () => {
    for (const file of sources) {
      expect(readFileSync(join(root, file), 'utf8'), file).not.toMatch(/^export \*/m)
    }
  })
})

describe('the core', () => {
  const core = sources.filter((file) => file.startsWith('src/core/'))
  const code = (file: string) => readFileSync(join(root, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')

  test('asks no clock and no dice', () => {
    for (const file of core)
      expect(code(file), file).not.toMatch(/\bDate\.now|\bnew Date\b|Math\.random|\bperformance\.|\bcrypto\./)
  })

  test('uses no function that the language leaves inexact, so that every engine gives the same bits', () => {
    const inexact =
      /Math\.(?:sin|cos|tan|asin|acos|atan2?|sinh|cosh|tanh|exp|expm1|log|log1p|log2|log10|pow|cbrt|hypot)\b/
    for (const file of core) {
      expect(code(file), file).not.toMatch(inexact)
      expect(code(file), file).not.toMatch(/[^*/]\*\*[^*/]/)
    }
  })

  test('is compiled without the DOM and without Node', () => {
    const { compilerOptions } = JSON.parse(readFileSync(join(root, 'src/core/tsconfig.json'), 'utf8'))
    expect(compilerOptions).toMatchObject({ lib: ['ES2023'], types: [] })
  })
})
