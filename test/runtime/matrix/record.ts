/** What a runtime found at each step of a stream, as short digests: two runtimes agree where all of theirs are equal. */
import { isMonitorError, type PlainData, type Snapshot, sha256Hex, toBytes } from 'monitaur/core'

/** Digits of a step's digest. */
export const STEP = 12

/** One stream, run to its end. */
export interface Row {
  /** `core`, `features`, `stream monitor` or `monitor`. */
  readonly level: string
  /** The detector, or the group of features. */
  readonly subject: string
  readonly mode: string
  /** {@link STEP} hexadecimal digits a step, in order. */
  readonly steps: string
  /** Steps that answered, those of them that found something suspicious, and those that were refused. */
  readonly answered: number
  readonly suspicious: number
  readonly refused: number
  /** Names of errors that are none of ours. */
  readonly foreign: readonly string[]
}

/** One step of one stream, to be told in full. */
export interface Wanted {
  readonly row: string
  readonly step: number
}

/** How a stream is called in messages. */
export function nameOf({ level, subject, mode }: Pick<Row, 'level' | 'subject' | 'mode'>): string {
  return `${level}: ${subject}${mode === '' ? '' : `, ${mode}`}`
}

/** Takes the steps of one stream down. */
export class Recorder {
  /** The step that was wanted, in words. */
  told: string | undefined
  readonly #wanted: number | undefined
  readonly #steps: string[] = []
  readonly #foreign: string[] = []
  #answered = 0
  #suspicious = 0
  #refused = 0

  constructor(wanted?: number) {
    this.#wanted = wanted
  }

  /** Takes down what a step gives, or why it was refused. */
  step(act: () => unknown): void {
    try {
      this.#answer(act())
    } catch (thrown) {
      this.#refuse(thrown)
    }
  }

  /** {@link step} for what must be awaited. */
  async stepLater(act: () => Promise<unknown>): Promise<void> {
    try {
      this.#answer(await act())
    } catch (thrown) {
      this.#refuse(thrown)
    }
  }

  row(level: string, subject: string, mode: string): Row {
    return {
      level,
      subject,
      mode,
      steps: this.#steps.join(''),
      answered: this.#answered,
      suspicious: this.#suspicious,
      refused: this.#refused,
      foreign: this.#foreign,
    }
  }

  #answer(value: unknown): void {
    this.#keep(value)
    this.#answered++
    if (isSuspicious(value)) this.#suspicious++
  }

  #refuse(thrown: unknown): void {
    this.#refused++
    if (isMonitorError(thrown)) this.#keep({ ...thrown.toJSON() })
    else {
      this.#foreign.push(String(thrown))
      this.#keep('a foreign error')
    }
  }

  #keep(value: unknown): void {
    // The exact bytes of every number, −0 and the kind of a list of numbers included.
    const bytes = toBytes({ detector: '', version: 1, state: value as PlainData })
    if (this.#steps.length === this.#wanted) this.told = inWords(value)
    this.#steps.push(sha256Hex(bytes).slice(0, STEP))
  }
}

/** Of a detection, or of the verdict of a monitor. */
function isSuspicious(value: unknown): boolean {
  const { suspicious, verdict } = Object(value) as { suspicious?: boolean; verdict?: { suspicious: boolean } }
  return (verdict?.suspicious ?? suspicious) === true
}

function inWords(value: unknown): string {
  return JSON.stringify(value, (_, part) => (ArrayBuffer.isView(part) ? Array.from(part as Uint8Array) : part))
}

/** The snapshot as bytes and back, taken down on the way. */
export function throughBytes(record: Recorder, snapshot: Snapshot, fromBytes: (bytes: Uint8Array) => Snapshot) {
  const bytes = toBytes(snapshot)
  record.step(() => bytes)
  return fromBytes(bytes)
}
