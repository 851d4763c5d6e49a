import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { KraftError } from '../engine/errors/failure.js'
import type { Node } from '../engine/node/node.js'
import type { Item, Line } from '../engine/report/report.js'
import { here } from '../engine/shell/noted.js'
import type { Target } from '../engine/task/context.js'
import type { Session } from '../engine/task/session.js'
import type { HookCommand, HookName } from '../project/program-keys.js'
import type { InstanceSettings } from '../project/settings.js'
import { type HookFacts, hookSteps, hookVariables } from '../recipes/hooks.js'
import { inOrder, type Part } from './rollout/parts.js'
import type { Rollout } from './rollout/rollout.js'

/** Milliseconds for what a command has said just before it ended. */
const lastWords = 1000

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

/** Runs the commands of a hook in their order, on the nodes or here, of which one waits for the other. */
export function hookParts(
  rollout: Rollout,
  name: HookName,
  deploy: HookedDeploy,
  nodes: readonly Node[] = rollout.nodes,
): readonly Part[] {
  const facts = { ...deploy, nodes: nodes.map((node) => node.name) }
  const commands = rollout.application.instance.settings.hooks[name] ?? []
  return commands.map((hook): Part => {
    if (hook.local) {
      const { title, run } = hookHere(name, hook, facts)
      // Once for all nodes.
      return { title, run: async (node, line) => (node === nodes[0] ? run(line) : undefined) }
    }
    const steps = (node: Node) => hookSteps(rollout.releaseOn(node), name, { [name]: [hook] }, facts)
    return {
      title: `Hook ${name}`,
      chapter: 'Prepare',
      barrier: true,
      steps: (node) => (nodes.includes(node) ? steps(node) : []),
    }
  })
}

/**
 * Runs the hooks after the switch, when the deploy is over and its locks are free. The release serves: one that fails is told and fails
 * the task, but takes nothing back.
 */
export async function hooksAfterSwitch(
  rollout: Rollout,
  line: Line,
  deploy: HookedDeploy & { readonly release: string },
): Promise<void> {
  const parts = hookParts(rollout, 'after-switch', deploy)
  if (parts.length === 0) return
  try {
    await line.list(inOrder(rollout, parts, () => undefined))
  } catch (error) {
    throw served(error, rollout.application.instance.name, deploy.release)
  }
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
  const closed = once(child, 'close')
  closed.catch(() => undefined)
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('exit', resolve))
  // What it has left running may keep its output open for as long as it likes.
  await Promise.race([closed, sleep(lastWords, undefined, { ref: false })])
  for (const stream of [child.stdout, child.stderr]) stream.destroy()
  if (code !== 0) throw new KraftError({ kind: 'command', node: here, command, code, output: said.join('\n') })
}
