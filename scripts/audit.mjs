/**
 * Known vulnerabilities of what users install with us, as the registry knows them: `node scripts/audit.mjs`. Exits with 1 for
 * one that is high or critical. A registry that does not answer is named in the last line; then nothing was audited.
 */
import { spawnSync } from 'node:child_process'

const { stdout } = spawnSync('npm', ['audit', '--omit=dev', '--json'], { encoding: 'utf8', timeout: 120_000 })
const report = parse(stdout)
const counts = report?.metadata?.vulnerabilities

if (counts === undefined) {
  const why = report?.message ?? report?.error?.summary ?? (report?.statusCode && `status ${report.statusCode}`) ?? ''
  console.log(`audit: NOT AUDITED: the registry does not answer this question${why ? ` (${why})` : ''}`)
} else {
  console.log(`audit: ${counts.total} known vulnerabilities, ${counts.critical} critical, ${counts.high} high`)
  for (const { name, severity, range } of Object.values(report.vulnerabilities)) {
    console.log(`audit: ${severity} ${name} ${range}`)
  }
  process.exitCode = counts.high + counts.critical > 0 ? 1 : 0
}

function parse(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
