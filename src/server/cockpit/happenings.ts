/** What happens, in words. */
import { clientName, count, date, decisionText } from './format.ts'
import type { Happening } from './wire.ts'

/** One line of the feed. */
export interface Line {
  readonly timeMs: number
  /** A decision, `calm` or `info`: its colour. */
  readonly tone: string
  readonly label: string
  readonly text: string
  /** Whom it is about. */
  readonly client?: string
}

/** True for what an operator wants to see among many queries that are answered. */
export function isNotable(happening: Happening): boolean {
  if (happening.kind === 'verdict') return happening.suspicious || happening.proposed !== 'allow'
  return happening.kind !== 'evicted'
}

export function lineOf(happening: Happening): Line {
  const { timeMs } = happening
  switch (happening.kind) {
    case 'verdict':
      return verdictLine(happening)
    case 'suspended': {
      const { client, untilMs, reason } = happening
      const why = reason === undefined ? '' : `. ${reason}`
      return { timeMs, tone: 'suspend', label: 'suspended', text: `until ${date(untilMs)}${why}`, client }
    }
    case 'released':
      return { timeMs, tone: 'calm', label: 'released', text: 'the evidence is cleared', client: happening.client }
    case 'erased':
      return { timeMs, tone: 'info', label: 'erased', text: 'by an operator', client: happening.client }
    case 'evicted':
      return { timeMs, tone: 'info', label: 'forgotten', text: 'to make room', client: happening.client }
    case 'eviction_storm': {
      const text = `${count(happening.evictions)} clients had to leave within a short time: somebody may be flushing memories`
      return { timeMs, tone: 'throttle', label: 'eviction storm', text }
    }
    case 'drift': {
      const { detector, direction, mean } = happening
      const text = `${detector}: honest scores have become ${direction} (mean height ${mean.toFixed(2)}, calibrated 0.5); calibrate again`
      return { timeMs, tone: 'throttle', label: 'drift', text }
    }
    case 'reload':
      return { timeMs, tone: 'info', label: 'configuration', text: 'read again' }
    case 'backendchange':
      return { timeMs, tone: 'throttle', label: 'backend lost', text: happening.text }
  }
}

function verdictLine(verdict: Happening & { readonly kind: 'verdict' }): Line {
  const { timeMs, client, proposed, suspicious, detections, errors } = verdict
  const [found] = detections.filter((detection) => detection.suspicious)
  const failed = errors.length > 0 ? `${errors[0]!.path} failed: ${errors[0]!.code}` : ''
  const text = found === undefined ? failed : `${found.detector}: ${found.reason}`
  const isCalm = !suspicious && proposed === 'allow'
  return { timeMs, tone: isCalm ? 'calm' : proposed, label: decisionText(verdict), text, client }
}

/** The same for those who listen. */
export function spoken({ label, text, client }: Line): string {
  return client === undefined ? `${label}: ${text}` : `${clientName(client)} ${label}. ${text}`
}
