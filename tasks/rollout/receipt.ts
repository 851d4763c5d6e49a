import { size } from '../../engine/report/progress-text.js'
import { type Requests, readRequests } from '../../recipes/requests.js'
import { readVersions } from '../../recipes/versions.js'
import type { Sent } from '../upload.js'
import type { Rollout } from './rollout.js'

/** What a rollout took, for people and for `--json`. */
export interface Receipt {
  /** Seconds of each part; of several nodes the longest. */
  readonly seconds: Readonly<Record<string, number>>
  /** What visitors got from just before the switch until the old processes were gone, on all nodes. */
  readonly requests: Requests
  /** Of the first node. */
  readonly versions: Readonly<Record<string, string>>
}

/** Sums up what ran. */
export function receiptOf({ applied }: Rollout): Receipt {
  const seconds: Record<string, number> = {}
  for (const { title, applied: each } of applied) {
    seconds[title] = Math.round(Math.max(seconds[title] ?? 0, each.seconds) * 100) / 100
  }
  const counted = applied.flatMap(({ applied: each }) => readRequests(each.output.flat()) ?? [])
  return {
    seconds,
    requests: {
      requests: counted.reduce((sum, each) => sum + each.requests, 0),
      failed: counted.reduce((sum, each) => sum + each.failed, 0),
      slowest: Math.max(0, ...counted.map(({ slowest }) => slowest)),
    },
    versions: applied.map(({ applied: each }) => readVersions(each.output.flat())).find((each) => 'python' in each) ?? {},
  }
}

/** The receipt in lines that a person reads: parts that took 0.3 s each, and the rest as one. `sent` is what each node was sent. */
export function printReceipt({ seconds, requests, versions }: Receipt, sent: readonly Sent[] = []): readonly string[] {
  const parts = Object.entries(seconds)
  const long = parts.filter(([, each]) => each >= 0.3)
  const rest = parts.reduce((sum, [, each]) => sum + each, 0) - long.reduce((sum, [, each]) => sum + each, 0)
  const shown = rest < 0.05 ? long : [...long, [long.length === 0 ? 'all parts' : 'the rest', rest] as const]
  const took = shown.map(([title, each]) => `${title} ${each.toFixed(1)} s`)
  const { requests: count, failed, slowest } = requests
  const served =
    count === 0
      ? 'No requests during the switch'
      : `${count} requests during the switch, ${failed} failed, the slowest took ${Math.round(slowest * 1000)} ms`
  const names = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  return [sentInAll(sent), took.join(', '), served, names.join(', ')].filter((line) => line !== '')
}

function sentInAll(sent: readonly Sent[]): string {
  if (sent.length === 0) return ''
  const sum = (of: (each: Sent) => number) => sent.reduce((total, each) => total + of(each), 0)
  const files = sum((each) => each.files)
  return `${files} ${files === 1 ? 'file' : 'files'} sent, ${size(sum(({ bytes }) => bytes))}`
}
