import { providerSettings } from '../engine/config/user.js'
import { KraftError } from '../engine/errors/failure.js'
import { removeHostsLine } from '../engine/node/hosts.js'
import { forget } from '../engine/node/inventory.js'
import { Result } from '../engine/task/result.js'
import { task } from '../engine/task/task.js'
import { loadKind } from '../recipes/kinds.js'
import { confirmLoss, requireAnswer } from './confirm.js'
import { updateSshNames } from './ssh-names.js'

/** Removes a node with all that is on it. */
export const terminate = task({
  on: 'once',
  connection: 'new',
  needs: 'nodes',
  group: 'Nodes',
  help: 'remove a node and all that is on it',
  destructive: true,
  changes: 'the node goes, with all that is on it; one that kraft did not make is only forgotten',
  examples: ['kraft terminate:one', 'kraft terminate:one --yes'],
  async run({ target, session, line }) {
    requireAnswer(session, 'terminate')
    const kept = new Set<string>()
    let unwritten: unknown
    for (const { record } of target.nodes) {
      const provider = await loadKind('providers', record.provider)
      if (provider.keeps === true) kept.add(record.name)
      const what = `${record.name} (${record.provider}, ${record.address})`
      await confirmLoss(
        session,
        provider.keeps === true
          ? `Forget the node ${what}? The server stays as it is.`
          : `Remove the node ${what} and all data on it?`,
      )
      if (session.flags.dryRun) continue
      const settings = await providerSettings(session.user, provider.name, provider.section, {})
      await session.disconnect(record.name)
      await provider.destroy(record, settings, (text) => line.output(text))
      await forget(record.name, session.project?.folder)
      await updateSshNames(session)
      const others = (await session.inventory()).all().map(({ address }) => address)
      const own = others.includes(record.address) ? undefined : record.address
      // A name that stays says nothing of the nodes that are still to go.
      await removeHostsLine(record.name, own).catch((error: unknown) => {
        line.output(`${record.name} is ${provider.keeps === true ? 'forgotten' : 'gone'}; its name is not`)
        unwritten ??= error
      })
    }
    if (unwritten !== undefined) throw unwritten
    if (target.nodes.length === 0)
      throw new KraftError({ kind: 'usage', message: 'terminate needs a node', next: 'Name it: kraft terminate:NODE' })
    return new Result(
      target.nodes
        .map(({ name, record }) =>
          session.flags.dryRun
            ? `Would ${kept.has(name) ? 'forget' : 'remove'} ${name} (${record.provider}, ${record.address})${kept.has(name) ? '' : ' and all data on it'}`
            : `${name} is ${kept.has(name) ? 'forgotten, and stays as it is' : 'gone'}`,
        )
        .join('\n'),
      target.nodes.map(({ name }) => name),
    )
  },
})
