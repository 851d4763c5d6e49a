import { quote } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import type { HookCommand, HookName } from '../project/program-keys.js'
import { type Release, runInGeneration } from './release.js'

/** What a hook can tell of the deploy that it belongs to. */
export interface HookFacts {
  /** Undefined before there is one. */
  readonly release?: string
  readonly commit: string | undefined
  /** As it was typed. */
  readonly target: string
  readonly nodes: readonly string[]
}

/**
 * The variables of a hook. Their names have a word more than those of settings, so that a kraft which a hook calls takes none of them
 * for one (`KRAFT_RELEASE` would be `release:`).
 */
export function hookVariables(name: HookName, { release, commit, target, nodes }: HookFacts): Readonly<Record<string, string>> {
  return {
    KRAFT_HOOK: name,
    KRAFT_HOOK_RELEASE: release ?? '',
    KRAFT_HOOK_COMMIT: commit ?? '',
    KRAFT_HOOK_TARGET: target,
    KRAFT_HOOK_NODES: nodes.join(' '),
  }
}

/**
 * Runs the commands of a hook that are for the node, in the new release's environment: as the builder around a build, else as the
 * instance.
 */
export function hookSteps(
  release: Release,
  name: HookName,
  hooks: Readonly<Partial<Record<HookName, readonly HookCommand[]>>>,
  facts: HookFacts,
): readonly Step[] {
  const variables = Object.entries(hookVariables(name, facts)).map(([key, value]) => `${key}=${quote(value)}`)
  const commands = (hooks[name] ?? []).filter(({ local }) => !local)
  return commands.flatMap(({ command }) =>
    runInGeneration(release, `${name}: ${command.split('\n')[0]}`, `export ${variables.join(' ')}\n${command}`, {
      build: name.endsWith('-build'),
    }),
  )
}
