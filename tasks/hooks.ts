import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { KraftError } from '../engine/errors/failure.js'
import type { Node } from '../engine/node/node.js'
import type { Item, Line } from '../engine/report/report.js'
import { here } from '../engine/shell/noted.js'
import type { Target } from '../engine/task/context.js'
import type { Session } from '../engine/task/session.js'
import type { HookCommand, HookName } from '../project/program-keys.js'
import type { InstanceSettings } from '../project/settings.js'
import { type HookFacts, hookSteps, hookVariables } from '../recipes/hooks.js'
import { type Rollout, stepsOnEach } from './rollout.js'

/** What all hooks of a deploy know. */
export interface HookedDeploy extends HookFacts {
  /** Where those of this machine run: the files that are deployed. */
  readonly folder: string
  readonly dryRun: boolean
}

/** What is known of a deploy from the beginning. */
export function hookFacts(target: Target, nodes: readonly Node[], session: Session) {
  return { target: target.word, nodes: nodes.map(({ name }) => name), dryRun: session.flags.dryRun }
}

/** The hooks before a build that run here, before anything is sent. */
export function hooksBeforeUpload(hooks: InstanceSettings['hooks'], deploy: HookedDeploy): readonly Item[] {
  const commands = hooks['before-build'] ?? []
  return commands.filter(({ local }) => local).map((hook) => hookHere('before-build', hook, deploy))
}

/** Runs the commands of a hook in their order, on the nodes or here. */
export function hookItems(
  rollout: Rollout,
  name: HookName,
  deploy: HookedDeploy,
  nodes: readonly Node[] = rollout.nodes,
): readonly Item[] {
  const { instance } = rollout.application
  const facts = { ...deploy, nodes: nodes.map((node) => node.name) }
  return (instance.settings.hooks[name] ?? []).map((hook) =>
    hook.local
      ? hookHere(name, hook, facts)
      : stepsOnEach({ ...rollout, nodes }, `Hook ${name}`, (node) =>
          hookSteps(rollout.releaseOn(node), name, { [name]: [hook] }, facts),
        ),
  )
}

/**
 * Hooks after the switch. The release serves already: one that fails is told and fails the task, but takes nothing back.
 */
export function hookItemsAfterSwitch(rollout: Rollout, deploy: HookedDeploy & { readonly release: string }): readonly Item[] {
  return hookItems(rollout, 'after-switch', deploy).map((item) => ({
    ...item,
    async run(line) {
      try {
        await item.run(line)
      } catch (error) {
        throw served(error, rollout.application.instance.name, deploy.release)
      }
    },
  }))
}

function served(error: unknown, name: string, release: string): unknown {
  if (!(error instanceof KraftError) || (error.failure.kind !== 'step' && error.failure.kind !== 'command')) return error
  const next = `${name} serves release ${release} all the same: only the hook after-switch failed. What it should have done is left to do`
  return new KraftError({ ...error.failure, next }, error)
}

function hookHere(name: HookName, { command }: HookCommand, deploy: HookedDeploy): Item {
  return {
    title: `Hook ${name} here: ${command.split('\n')[0]}`,
    run: (line) => (deploy.dryRun ? line.skip('a dry run runs no code') : runHere(name, command, deploy, line)),
  }
}

async function runHere(name: HookName, command: string, deploy: HookedDeploy, line: Line): Promise<void> {
  const child = spawn('sh', ['-c', command], {
    cwd: deploy.folder,
    env: { ...process.env, ...hookVariables(name, deploy) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    createInterface(stream).on('line', (text) => {
      said.push(text)
      if (said.length > 20) said.shift()
      line.output(text)
    })
  }
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve))
  if (code !== 0) throw new KraftError({ kind: 'command', node: here, command, code, output: said.join('\n') })
}
