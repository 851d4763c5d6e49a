import type { Node } from '../engine/node/node.js'
import type { Step } from '../engine/step/step.js'
import type { Session } from '../engine/task/session.js'
import { readBackup } from '../project/backup.js'
import type { Instance } from '../project/instance.js'
import { backup, makesBackups, nodeBackup } from '../recipes/backup.js'
import { dataServices } from './data-services.js'

/** What makes the backups of an instance, for each node; where none are made, nothing of them stays there. */
export async function backupSteps(
  instance: Instance,
  { version, flags }: Pick<Session, 'version' | 'flags'>,
): Promise<(node: Node) => readonly Step[]> {
  const plan = readBackup(instance)
  const given =
    plan === undefined
      ? undefined
      : await nodeBackup(instance, plan, await dataServices(instance, []), { version, dryRun: flags.dryRun })
  return (node) => backup(instance, makesBackups(instance, node) ? given : undefined)
}
