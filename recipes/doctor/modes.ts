import { stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { writableByOthers } from '../../engine/config/trust.js'
import { inventoryFile } from '../../engine/node/inventory.js'
import { privateFiles } from '../../project/private-files.js'
import { loadProject } from '../../project/settings.js'
import { knownKinds } from '../kinds.js'
import type { Check, Surroundings } from './check.js'
import { doubtful, type Finding, wrong } from './finding.js'

/** Files of settings that others could change, and private ones that others can read. */
export const modes: Check = {
  name: 'modes',
  title: 'Rights of files',
  async look({ session }) {
    const { project } = session
    const ours = [
      ...(project === undefined ? [] : [join(project.folder, 'kraftwerk.yaml'), inventoryFile(project.folder)]),
      join(homedir(), '.kraftwerk.yaml'),
      inventoryFile(),
    ]
    const found = [...(await changeable(ours)), ...(await readable(await secrets(session)))]
    return [{ about: 'Rights of files', said: 'nobody else can change your settings or read what is private', findings: found }]
  },
}

async function changeable(files: readonly string[]): Promise<readonly Finding[]> {
  const there = await existing(files)
  const foreign = await Promise.all(there.map(async (file) => ({ file, by: await writableByOthers(file) })))
  const found = foreign.flatMap(({ file, by }) =>
    by === undefined ? [] : [wrong(`Others can change ${file}, and so what runs on your nodes: ${by.why}`, by.next)],
  )
  // Files of one folder have one fault.
  return found.filter(({ next }, index) => found.findIndex((each) => each.next === next) === index)
}

async function secrets({ project, folder }: Surroundings['session']): Promise<readonly string[]> {
  const loaded = project === undefined ? undefined : await loadProject(folder, knownKinds()).catch(() => undefined)
  return loaded === undefined ? [] : privateFiles(loaded).map((path) => join(loaded.folder, path))
}

async function readable(files: readonly string[]): Promise<readonly Finding[]> {
  const there = await existing(files)
  const modes = await Promise.all(there.map(async (file) => ({ file, mode: (await stat(file)).mode })))
  return modes
    .filter(({ mode }) => (mode & 0o077) !== 0)
    .map(({ file }) => doubtful(`Others can read the private key ${file}`, `chmod 600 ${file}`))
}

async function existing(files: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(
    files.map((file) =>
      stat(file).then(
        () => [file],
        () => [],
      ),
    ),
  )
  return found.flat()
}
