import { instanceSettings, loadProject } from '../../project/settings.js'
import { knownKinds } from '../kinds.js'
import type { Check } from './check.js'
import { doubtful, type Finding, wrong } from './finding.js'

/** nodes.yaml: can it be read, has each node host keys, and is each node that an environment names remembered. */
export const rememberedNodes: Check = {
  name: 'nodes',
  title: 'Remembered nodes',
  async look({ session }) {
    const records = (await session.inventory()).all()
    const names = records.map(({ name }) => name)
    const keyless = records.filter((each) => each.host_keys.length === 0)
    return [
      {
        about: 'Remembered nodes',
        said: names.length === 0 ? 'none yet' : names.join(', '),
        findings: [
          ...keyless.map(({ name }) =>
            doubtful(
              `No host key of ${name} is remembered, so that only your known_hosts vouches for it`,
              `Add them below host_keys of ${name} in nodes.yaml; the node shows them by: cat /etc/ssh/ssh_host_*_key.pub`,
            ),
          ),
          ...(await unknownNodes(session.folder, names)),
        ],
      },
    ]
  },
}

async function unknownNodes(folder: string, names: readonly string[]): Promise<readonly Finding[]> {
  // What is wrong with kraftwerk.yaml is told by its own check.
  const project = await loadProject(folder, knownKinds()).catch(() => undefined)
  if (project === undefined) return []
  return Object.keys(project.environments).flatMap((environment) =>
    instanceSettings(project, environment)
      .nodes.filter(({ name }) => !names.includes(name))
      .map(({ name }) =>
        wrong(
          `${environment} names the node ${name}, which is not remembered`,
          `Make it: kraft provision ${name}; or remember a server that is there: kraft adopt ${name} user@host`,
        ),
      ),
  )
}
