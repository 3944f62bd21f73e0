/** Finds a Chromium for the browser tests, or installs one. Tests fail without it; they are never skipped. */
import { type Browser, type BrowserContext, chromium } from 'playwright'
import { findProgram, installByApt, isExecutable, reasonOfFailure, run, say } from './programs.ts'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
const PLACES = [
  '/snap/bin/chromium',
  '/opt/google/chrome/chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]
const PLAYWRIGHT_INSTALL_MS = 120_000

/**
 * Quiet, and running as root. What a container gives for shared memory (64 MB) is too little for large pictures.
 */
const ARGS = [
  '--no-sandbox',
  '--disable-dev-shm-usage',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
/** WebGPU on the software adapter, also where a GPU is, so that every machine gives the same. */
const WEBGPU_ARGS = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader']

/** A camera that shows a disc that is eaten, and a clock. */
const CAMERA_ARGS = ['--use-fake-device-for-media-stream']

export interface BrowserParts {
  readonly webgpu?: boolean
  readonly camera?: boolean
}

/** Starts a headless Chromium; close it after use. With `webgpu` it has a WebGPU adapter, in software; with `camera` one. */
export async function launchChromium({ webgpu = false, camera = false }: BrowserParts = {}): Promise<Browser> {
  const executablePath = await findChromium()
  const args = [...ARGS, ...(webgpu ? WEBGPU_ARGS : []), ...(camera ? CAMERA_ARGS : [])]
  return chromium.launch({ executablePath, headless: true, args })
}

/** Starts one whose profile stays in a folder, with one context. */
export async function launchPersistent(folder: string): Promise<BrowserContext> {
  return chromium.launchPersistentContext(folder, { executablePath: await findChromium(), headless: true, args: ARGS })
}

/**
 * The path of a Chromium: `MONITAUR_CHROMIUM`, else an installed one, else Playwright's own, else one that is installed
 * now, by Playwright or by apt. Throws a sentence that says what was tried and what to do.
 */
export async function findChromium(): Promise<string> {
  const given = process.env['MONITAUR_CHROMIUM']
  if (given !== undefined && given !== '') {
    if (await isExecutable(given)) return given
    throw new Error(`MONITAUR_CHROMIUM is '${given}', which is no program; correct it or unset it`)
  }
  const failedBefore = process.env['MONITAUR_NO_CHROMIUM']
  if (failedBefore !== undefined) throw new Error(failedBefore)
  const present = (await findInstalled()) ?? (await findPlaywrights())
  if (present !== undefined) return present
  const tried = ['PATH and the usual places', "Playwright's own"]
  for (const [what, install] of [
    ['npx playwright install chromium', installByPlaywright],
    ['apt-get install chromium', () => installByApt('chromium')],
  ] as const) {
    const failure = await reasonOfFailure(install)
    const found = (await findInstalled()) ?? (await findPlaywrights())
    if (found !== undefined) return found
    tried.push(`${what} (${failure ?? 'no browser came of it'})`)
  }
  throw new Error(
    `no Chromium for the browser tests, tried ${tried.join(', ')}; run 'apt-get install chromium' or ` +
      `'npx playwright install chromium', or set MONITAUR_CHROMIUM to the path of one`,
  )
}

function findInstalled(): Promise<string | undefined> {
  return findProgram(NAMES, PLACES)
}

async function findPlaywrights(): Promise<string | undefined> {
  const path = chromium.executablePath()
  return (await isExecutable(path)) ? path : undefined
}

/** Playwright gives up after 30 s without a connection, then tries another host: the limit is for closed networks. */
async function installByPlaywright(): Promise<void> {
  say('installing Chromium with Playwright …')
  await run('npx', ['playwright', 'install', 'chromium'], { timeout: PLAYWRIGHT_INSTALL_MS, killSignal: 'SIGKILL' })
}
