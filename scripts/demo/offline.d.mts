import type { Plugin } from 'vite'

/** Writes `sw.js` into the build: a service worker that keeps the page for times without a network. */
export function offline(): Plugin
