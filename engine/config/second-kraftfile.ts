import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { KraftError } from '../errors/failure.js'
import { kraftfileNames } from './nearest-kraftfile.js'

/** Throws `setting` where another kraftfile lies beside one: whoever changes the other would wonder why nothing happens. */
export function refuseSecond(file: string): void {
  const second = kraftfileNames.map((name) => join(dirname(file), name)).find((path) => path !== file && existsSync(path))
  if (second === undefined) return
  const [first, other] = [basename(file), basename(second)]
  throw new KraftError({
    kind: 'setting',
    place: { file: second, line: 1, column: 1 },
    message: `${other} lies beside ${first}, and a folder has one kraftfile`,
    next: `Remove one of them. If tsc has written ${other}: kraft runs ${first} as it is, so set "noEmit" in tsconfig.json`,
  })
}
