/** What the main thread was busy with in its long tasks: tables for the report. */
import { bare } from './visits.mjs'

/** A task counts as long from here on, in ms. */
const LONG_MS = 50

/** Long tasks of each visit that began after the first query of the story was shown. */
export function tasksAfterStart({ tasks, firstQueryMs }) {
  return tasks.filter(({ startTime }) => startTime > firstQueryMs)
}

/** Lines of a table: the scripts that ran in long tasks after the first query, over all visits, the longest first. */
export function culprits(found) {
  const sums = new Map()
  for (const visit of found) {
    for (const task of tasksAfterStart(visit)) {
      const scripts = scriptsIn(visit, task)
      const all =
        scripts.length === 0
          ? [{ what: 'no script: style, layout, drawing, or waiting for a core', duration: task.duration }]
          : scripts
      for (const { what, duration } of all) {
        const { count = 0, longest = 0 } = sums.get(what) ?? {}
        sums.set(what, { count: count + 1, longest: Math.max(longest, duration) })
      }
    }
  }
  return [...sums]
    .sort(([, a], [, b]) => b.longest - a.longest)
    .map(([what, { count, longest }]) => `| ${what} | ${count} | ${Math.round(longest)} |`)
}

/** Scripts of at least 5 ms (shorter ones are not told) that ran within a task. */
function scriptsIn({ frames }, { startTime, duration }) {
  const end = startTime + duration
  return frames
    .flatMap(({ scripts }) => scripts)
    .filter((script) => script.startTime < end && script.startTime + script.duration > startTime)
    .map((script) => ({ what: `\`${bare(script.file)}\`, ${bare(script.invoker)}`, duration: script.duration }))
}

/** How many long tasks ran a script in which a detector's code is. */
export function tasksOfDetectors(found, files) {
  const holding = new Set(files.filter(({ held }) => held > 0).map(({ file }) => file.split('/').at(-1)))
  return found
    .flatMap((visit) => tasksAfterStart(visit).map((task) => ({ visit, task })))
    .filter(({ task }) => task.duration > LONG_MS)
    .filter(({ visit, task }) =>
      scriptsIn(visit, task).some(({ what }) => [...holding].some((file) => what.startsWith(`\`${file}\``))),
    ).length
}
