import type { Problem } from '../engine/config/validate.js'
import type { YamlFile, YamlPath } from '../engine/config/yaml.js'
import type { Layer } from './settings.js'
import { isReference } from './vault.js'

/** How to learn what a reference to a vault should look like. */
export interface KnownVaults {
  /** What it should be, where this one is wrong. */
  reference?(vault: string, reference: string): Promise<string | undefined>
}

/** What is wrong with the references that stand elsewhere than in the settings of services. */
export async function referenceProblems(
  values: Layer,
  yaml: YamlFile,
  path: YamlPath,
  known: KnownVaults,
): Promise<readonly Problem[]> {
  const named = (name: string, at: YamlPath, value: unknown) => ({ name, at: [...path, ...at], value })
  return wrongReferences(
    [
      ...Object.entries(values.environ ?? {}).map(([name, value]) => named(`environ.${name}`, ['environ', name], value)),
      ...(values.index ?? []).flatMap(({ user, password }) => [
        named('index.user', ['index'], user),
        named('index.password', ['index'], password),
      ]),
      ...(['backup', 'static_bucket'] as const).flatMap((setting) => {
        const said = values[setting] || undefined
        return (['access_key', 'secret_key'] as const).map((key) => named(`${setting}.${key}`, [setting, key], said?.[key]))
      }),
    ],
    yaml,
    known,
  )
}

/** What is wrong with those among these values that are references. */
export async function wrongReferences(
  entries: readonly { readonly name: string; readonly at: YamlPath; readonly value: unknown }[],
  yaml: YamlFile,
  known: KnownVaults,
): Promise<readonly Problem[]> {
  const problems: Problem[] = []
  for (const { name, at, value } of entries) {
    const should = isReference(value) ? await known.reference?.(value.vault, value.reference) : undefined
    if (!isReference(value) || should === undefined) continue
    problems.push({
      message: `"${name}.${value.vault}" should be ${should}`,
      place: yaml.place(at),
      next: `What ${value.vault} takes is in docs/environment.md`,
    })
  }
  return problems
}
