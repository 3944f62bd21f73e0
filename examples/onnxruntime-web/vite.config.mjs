import { defineConfig } from 'vite'

// So that WASM may use threads; `doctor()` of monitaur tells a page where they are missing.
const headers = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' }
const own = { host: '127.0.0.1', headers }

export default defineConfig({
  publicDir: process.env.MODELS ?? '../../models',
  appType: 'mpa', // a file that is not there is a 404, not the page
  server: own,
  preview: own,
  optimizeDeps: { noDiscovery: true }, // so that the runtime finds its .wasm where it is
})
