/** A small app for browser tests: bundled by Vite, served, and a Chromium to open it in. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright'
import { build } from 'vite'
import { launchChromium } from './chromium.ts'
import { type StaticServer, serveStatic } from './serve.ts'

export interface TestApp {
  readonly browser: Browser
  readonly server: StaticServer
  close(): Promise<void>
}

export interface TestAppOptions {
  /** More folders to serve, by prefix; the app itself is at `/`. */
  readonly folders?: Readonly<Record<string, string>>
  /** With a WebGPU adapter, in software. Default false. */
  readonly webgpu?: boolean
  /** Files below this many bytes go into the code. Default: Vite's. */
  readonly assetsInlineLimit?: number
}

/** Builds and serves the app in a folder. What an earlier step has opened is closed when a later one fails. */
export async function openApp(root: string, options: TestAppOptions = {}): Promise<TestApp> {
  const { folders = {}, webgpu = false, assetsInlineLimit } = options
  const outDir = await mkdtemp(join(tmpdir(), 'monitaur-app-'))
  const closing = [() => rm(outDir, { recursive: true, force: true })]
  const close = async () => {
    for (const step of closing.reverse()) await step()
  }
  try {
    const limit = assetsInlineLimit === undefined ? {} : { assetsInlineLimit }
    await build({
      configFile: false,
      root,
      base: './',
      logLevel: 'warn',
      worker: { format: 'es' },
      build: { outDir, emptyOutDir: true, target: 'es2022', minify: false, ...limit },
    })
    const server = await serveStatic({ ...folders, '/': outDir })
    closing.push(() => server.close())
    const browser = await launchChromium({ webgpu })
    closing.push(() => browser.close())
    return { browser, server, close }
  } catch (thrown) {
    await close()
    throw thrown
  }
}
