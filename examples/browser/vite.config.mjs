import { defineConfig } from 'vite'

export default defineConfig({
  publicDir: process.env.MODELS ?? false,
  appType: 'mpa', // a file that is not there is a 404, not the page
  server: { host: '127.0.0.1' },
  preview: { host: '127.0.0.1' },
  worker: { format: 'es' },
  optimizeDeps: { noDiscovery: true }, // all of them are modules; and the worker finds its .wasm where it is
})
