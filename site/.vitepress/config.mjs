import { join } from 'node:path'
import { defineConfig } from 'vitepress'
import { BASE } from '../anyBase.mjs'
import { sidebar } from '../contents.mjs'

const site = join(import.meta.dirname, '..')

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
  // Enough contrast for everybody.
  markdown: { theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' } },
  vite: { publicDir: false, logLevel: 'warn', build: { chunkSizeWarningLimit: 4096 } }, // the search index is one chunk
  themeConfig: {
    nav: [
      { text: 'Start', link: '/start-node' },
      { text: 'Detectors', link: '/choose' },
      { text: 'API', link: '/api/' },
      { text: 'Demo', link: '/demo' },
    ],
    sidebar: sidebar({ docs: join(site, '../docs'), pages: join(site, 'pages') }),
    outline: [2, 3],
    search: { provider: 'local' },
    docFooter: { prev: false, next: false },
  },
})
