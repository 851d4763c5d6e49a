import { type Sh, sh } from '../engine/shell/sh.js'

/** An instance that is on a node, whoever's it is. */
export interface Resident {
  /** The instance's name. */
  readonly name: string
  /** The project and environment that the node's record names. */
  readonly project: string
  /** Undefined for a project without overrides. */
  readonly environment: string | undefined
  /** The release that is served; undefined before the first deploy, and where it has nothing but data. */
  readonly release: string | undefined
}

/** Prints which instances are on a node, for {@link parseResidents}. */
export function readResidents(): Sh {
  return sh`
    for owner in /etc/kraftwerk/*/owner; do
      [ -e "$owner" ] || continue
      name=\${owner%/owner}
      name=\${name##*/}
      release=$(readlink "/web/$name/current" || :)
      printf 'resident %s %s %s\n' "$name" "\${release##*/}" "$(head -n 1 "$owner")"
    done
  `
}

/** Reads what {@link readResidents} printed, among other lines. */
export function parseResidents(printed: string): readonly Resident[] {
  return [...printed.matchAll(/^resident (\S+) (\S*) (.*) (\S+)$/gm)].map(
    ([, name = '', release = '', project = '', environment = '']) => ({
      name,
      project,
      environment: environment === '-' ? undefined : environment,
      release: release === '' ? undefined : release,
    }),
  )
}
