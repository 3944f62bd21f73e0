import { getRequestListener } from '@hono/node-server'
import { defineConfig } from 'vite'
import { modelApi } from '../model.mjs'

/** Stands in for the model API, at `/model`. */
const listener = getRequestListener(modelApi, { overrideGlobalObjects: false })
const serveModel = ({ middlewares }) => {
  middlewares.use('/model', listener)
}
const model = { name: 'model', configureServer: serveModel, configurePreviewServer: serveModel }

export default defineConfig({
  plugins: [model],
  appType: 'mpa', // a file that is not there is a 404, not the page
  server: { host: '127.0.0.1' },
  preview: { host: '127.0.0.1' },
  optimizeDeps: { noDiscovery: true },
  build: {
    rolldownOptions: {
      input: ['index.html', 'sw.mjs'],
      // A service worker keeps its name, and stands beside the page.
      output: { entryFileNames: ({ name }) => (name === 'sw' ? 'sw.mjs' : 'assets/[name]-[hash].js') },
    },
  },
})
