/** Values in the units of the dashboard, as people read them. */

const plain = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const percent = new Intl.NumberFormat('en', { style: 'percent', maximumSignificantDigits: 3 })

const FORMATS: Readonly<Record<string, (value: number) => string>> = {
  short: number,
  reqps: (value) => `${number(value)}/s`,
  percentunit: (value) => percent.format(value),
  s: duration,
  bytes,
}

/** `1.2/s`, `3 ms`, `12 KiB`; `–` for nothing. */
export function formatted(value: number | null | undefined, unit = 'short'): string {
  if (value === null || value === undefined || Number.isNaN(value)) return '–'
  return (FORMATS[unit] ?? number)(value)
}

/** What the unit of a panel is called beside its title; '' where the values say it. */
export function unitName(unit = 'short'): string {
  return { reqps: 'per second', percentunit: 'share', s: 'time', bytes: 'bytes' }[unit] ?? ''
}

function number(value: number): string {
  return Math.abs(value) >= 1000 ? whole.format(value) : plain.format(value)
}

const DURATIONS = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'min'],
  [1, 's'],
  [1e-3, 'ms'],
  [1e-6, 'µs'],
] as const

function duration(seconds: number): string {
  const [size, name] = DURATIONS.find(([one]) => Math.abs(seconds) >= one) ?? [1, 's']
  return `${plain.format(seconds / size)} ${name}`
}

function bytes(value: number): string {
  const power = value < 1024 ? 0 : Math.min(3, Math.floor(Math.log2(value) / 10))
  return `${plain.format(value / 1024 ** power)} ${['B', 'KiB', 'MiB', 'GiB'][power]}`
}
