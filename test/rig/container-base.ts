import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { buildImage, imageName } from '../../recipes/providers/local/image.js'
import { stateFrom } from '../../recipes/providers/local/state.js'

const execute = promisify(execFile)
const base = 'docker.io/library/debian:bookworm-slim'

/** An engine of containers that can be used. */
export interface Prepared {
  /** Variables that say where it is. */
  readonly environ: Readonly<Record<string, string>>
  stop(): Promise<void>
}

/** Gives an engine the file system of the local nodes under the name of Debian's image, unless it has that. */
export async function importBase(program: 'podman' | 'docker', environ: Readonly<Record<string, string>>): Promise<void> {
  const env = { ...process.env, ...environ }
  const isThere = await execute(program, ['image', 'inspect', base], { env }).then(
    () => true,
    () => false,
  )
  if (isThere) return
  const state = stateFrom(process.env)
  await buildImage(state, 'bookworm', () => undefined)
  const root = `${state.root}/images/${imageName('bookworm')}`
  await execute('sh', ['-c', 'tar -C "$1" -c . | "$0" import - "$2"', program, root, base], { env })
}
