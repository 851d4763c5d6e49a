import type { Line, Report } from '../../engine/report/report.js'
import type { Check, Seen, Surroundings } from './check.js'
import { checks } from './checks.js'
import { findingOf } from './finding.js'

/** What a check has seen, under its name. */
export interface Examined extends Seen {
  readonly check: string
}

/** Runs all checks at once and shows which run; what one throws is a finding, and the others go on. In the order of the checks. */
export async function examine(around: Surroundings, report: Report): Promise<readonly Examined[]> {
  const seen = new Map<Check, readonly Seen[]>()
  const look = async (check: Check) => {
    const found = await check
      .look(around)
      .catch((error: unknown) => [{ about: check.title, said: '', findings: [findingOf(error)] }])
    seen.set(check, found)
  }
  const items = checks.map((check) => ({
    title: check.title,
    async run(line: Line) {
      await look(check)
      line.title(check.title, 'ok')
    },
  }))
  await report.list(items, { concurrent: true, brief: true })
  return checks.flatMap((check) => (seen.get(check) ?? []).map((each) => ({ check: check.name, ...each })))
}
