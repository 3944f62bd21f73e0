/**
 * Known vulnerabilities, as the registry knows them, of what users install with us, and of what makes and checks the
 * documentation: `node scripts/audit.mjs`. Exits with 1 for one that is high or critical. Where a registry does not answer, the
 * last lines say so; then nothing was audited.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const reports = [audit('the package', root), audit('the documentation (site/)', `${root}site`)]

const count = (severity) => reports.reduce((sum, { counts }) => sum + (counts?.[severity] ?? 0), 0)
for (const { what, counts, vulnerabilities } of reports.filter((report) => report.counts !== undefined)) {
  for (const { name, severity, range } of vulnerabilities) console.log(`audit: ${what}: ${severity} ${name} ${range}`)
  console.log(`audit: ${what}: ${counts.total} known vulnerabilities, ${counts.critical} critical, ${counts.high} high`)
}
for (const { what, why } of reports.filter((report) => report.counts === undefined)) {
  console.log(`audit: NOT AUDITED: ${what}: the registry does not answer this question${why ? ` (${why})` : ''}`)
}
process.exitCode = count('high') + count('critical') > 0 ? 1 : 0

/** What is developed with is left out; without counts the registry did not answer. */
function audit(what, folder) {
  const { stdout } = spawnSync('npm', ['audit', '--omit=dev', '--json'], {
    ...{ cwd: folder, encoding: 'utf8', timeout: 120_000 },
  })
  const report = parse(stdout)
  const why = report?.message ?? report?.error?.summary ?? (report?.statusCode && `status ${report.statusCode}`) ?? ''
  return {
    what,
    counts: report?.metadata?.vulnerabilities,
    vulnerabilities: Object.values(report?.vulnerabilities ?? {}),
    why,
  }
}

function parse(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
