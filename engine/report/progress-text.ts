import type { Progress } from './report.js'

/**
 * How far a transfer is, as people read it.
 *
 * @example progressText({ done: 5 << 20, total: 20 << 20, rate: 1 << 20, remaining: 15 }) // '25% of 20 MiB, 1.0 MiB/s, 15 s left'
 */
export function progressText({ done, total, rate, remaining }: Progress): string {
  // What is packed on the way is a little more than its files.
  const part =
    total === undefined || total === 0 ? size(done) : `${Math.min(100, Math.floor((done / total) * 100))}% of ${size(total)}`
  const left = remaining === undefined || remaining < 1 ? [] : [`${duration(remaining)} left`]
  return [part, `${size(rate)}/s`, ...left].join(', ')
}

/** Bytes in the unit that fits: `512 B`, `1.5 MiB`. */
export function size(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${unit === 0 || value >= 10 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`
}

/** Seconds as `8 s`, `1:05 min` or `2:03 h`. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds)
  const two = (value: number) => String(value).padStart(2, '0')
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)}:${two(whole % 60)} min`
  return `${Math.floor(whole / 3600)}:${two(Math.floor((whole % 3600) / 60))} h`
}
