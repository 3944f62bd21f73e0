import { join } from 'node:path'
import { defineConfig } from 'vitepress'
import { BASE } from '../anyBase.mjs'
import { sidebar } from '../contents.mjs'

/** Nothing is asked of other hosts: no fonts, no counters, and the search runs in the page. */
export default defineConfig({
  title: 'monitaur',
  description: 'Watches the queries that clients send to a machine-learning model.',
  lang: 'en-GB',
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  srcDir: 'pages',
  outDir: 'dist',
  cacheDir: 'node_modules/.cache/vitepress',
  base: BASE,
  ignoreDeadLinks: [/demo\/index/],
  vite: { publicDir: false, logLevel: 'warn' },
  themeConfig: {
    nav: [
      { text: 'Start', link: '/start-node' },
      { text: 'Detectors', link: '/choose' },
      { text: 'API', link: '/api/' },
      { text: 'Demo', link: '/demo' },
    ],
    sidebar: sidebar(join(import.meta.dirname, '../pages')),
    outline: [2, 3],
    search: { provider: 'local' },
    docFooter: { prev: false, next: false },
  },
})
