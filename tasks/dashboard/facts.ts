import type { BackupState } from '../../recipes/backups.js'
import type { Program } from '../../recipes/ps.js'
import type { Known } from '../../recipes/status/look.js'

/** The site as it answered. */
export interface SiteFacts {
  readonly code: number | null
  readonly milliseconds: number | null
  readonly closed: string | null
}

/** A service as it is. */
export interface ServiceFacts {
  readonly name: string
  /** Null: it says nothing of itself. */
  readonly up: boolean | null
  readonly error?: string
  readonly version?: string
  readonly size?: number
}

/** How the site answered. */
export function siteOf(known: Known): SiteFacts | undefined {
  return known.found.site?.data as SiteFacts | undefined
}

/** What runs. */
export function programsOf(known: Known): readonly Program[] {
  return (known.found.programs?.data as readonly Program[] | undefined) ?? []
}

/** How services are. */
export function servicesOf(known: Known): readonly ServiceFacts[] {
  return (known.found.services?.data as readonly ServiceFacts[] | undefined) ?? []
}

/** How it stands with backups; undefined where none are made. */
export function backupsOf(known: Known): BackupState | undefined {
  return (known.found.backups?.data as BackupState | null | undefined) ?? undefined
}
