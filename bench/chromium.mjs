/** A Chromium for the benches: that of `MONITAUR_CHROMIUM`, else an installed one, else Playwright's own. */
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { chromium } from 'playwright'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
const PLACES = [
  '/snap/bin/chromium',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]
/** What a container gives for shared memory (64 MB) is too little for large pictures. */
const ARGS = ['--no-sandbox', '--disable-dev-shm-usage']

export const NO_CHROMIUM = 'Chromium: install it, or set MONITAUR_CHROMIUM to the path of one'

/** The path of one; undefined where there is none. */
export function findChromium() {
  const folders = (process.env.PATH ?? '').split(delimiter)
  const inPath = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)))
  const given = process.env.MONITAUR_CHROMIUM
  return (given ? [given] : [...inPath, ...PLACES, chromium.executablePath()]).find((path) => existsSync(path))
}

/** Starts one; close it after use. Throws where there is none. */
export function launchChromium() {
  const executablePath = findChromium()
  if (executablePath === undefined) throw new Error(`missing is ${NO_CHROMIUM}`)
  return chromium.launch({ executablePath, args: ARGS })
}
