/**
 * One file for everything that is built and tested. `vite build --mode …`:
 *   library  the doors of the package, one module each, with what they share in chunks
 *   script   the prebuilt Web Worker, one file with everything in it but the weights of our network, which lie beside it
 *   cockpit  the page of the monitoring server
 *   demo     the page
 * Without a mode of these, the settings of Vitest.
 */
import { defineConfig, type UserConfig } from 'vite'
import type { ViteUserConfig } from 'vitest/config'
import { offline } from './scripts/demo/offline.mjs'

const target = 'es2022'
const base = './'

/** Packages that are loaded on first use, if the user has them. */
const optional = [
  'sharp',
  /^onnxruntime-(?:web|node)(?:\/|$)/,
  '@huggingface/transformers',
  '@redis/client',
  '@observablehq/plot',
  'linkedom',
]
/** Packages that the doors import but do not contain, and Node's own. */
const external = [/^node:/, /^hono(?:\/|$)/, '@hono/node-server', /^@opentelemetry\//, 'yaml', ...optional]

const library: UserConfig = {
  base,
  build: {
    target,
    outDir: 'dist',
    emptyOutDir: false,
    minify: false,
    lib: {
      formats: ['es'],
      entry: {
        index: 'src/index.ts',
        core: 'src/core/index.ts',
        edge: 'src/edge/index.ts',
        embed: 'src/embed/index.ts',
        laws: 'src/laws/index.ts',
        worker: 'src/worker/index.ts',
        eval: 'src/eval/index.ts',
        'eval-node': 'src/eval/node/index.ts',
        server: 'src/server/index.ts',
        cli: 'src/server/cli.ts',
        'copy-net': 'src/embed/onnx/copyNetWeights.ts',
      },
      fileName: (_, name) => `${name}.js`,
    },
    rolldownOptions: {
      external,
      output: {
        chunkFileNames: 'chunks/[name]-[hash].js',
        // What everybody needs, so that the picture descriptor with its weights stays in a chunk of its own.
        codeSplitting: {
          groups: [{ name: 'core', test: /src\/core\/(?:pictures\/thumbnail|(?!pictures|monitor|index))/ }],
        },
      },
    },
  },
}

const script: UserConfig = {
  base,
  build: {
    target,
    outDir: 'dist',
    emptyOutDir: false,
    lib: { formats: ['es'], entry: 'workers/monitor.worker.ts', fileName: () => 'monitor.worker.js' },
    rolldownOptions: {
      external: [...optional, /copyNetWeights/],
      output: { codeSplitting: false, paths: (id) => (id.includes('copyNetWeights') ? './copy-net.js' : id) },
    },
  },
}

const cockpit: UserConfig = {
  root: 'src/server/cockpit',
  base,
  build: { target, outDir: '../../../dist/cockpit', emptyOutDir: true, modulePreload: { polyfill: false } },
}

/** Cross-origin isolation, so that threads work where a model wants them. */
const headers = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' }

const demo: UserConfig = {
  root: 'demo',
  base,
  worker: { format: 'es' },
  assetsInclude: ['**/*.onnx'],
  plugins: [offline()],
  build: {
    target,
    outDir: '../dist/demo',
    emptyOutDir: true,
    rolldownOptions: { external: optional, checks: { pluginTimings: false } },
  },
  server: { headers, host: '127.0.0.1' },
  preview: { headers, host: '127.0.0.1' },
}

const test: ViteUserConfig = {
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/tools/setup.ts'],
    typecheck: { enabled: true, include: ['test/**/*.test-d.ts'], tsconfig: './tsconfig.json' },
    // Most of the long ones wait for browsers and servers.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 300_000,
  },
}

export default defineConfig(({ mode }) => ({ library, script, cockpit, demo })[mode] ?? (test as UserConfig))
