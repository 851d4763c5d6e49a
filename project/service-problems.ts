import type { Section } from '../engine/config/section.js'
import type { Checked, Problem } from '../engine/config/validate.js'
import type { YamlFile, YamlPath } from '../engine/config/yaml.js'
import { wrongReferences } from './reference-problems.js'
import type { ServiceSetting } from './service-schema.js'
import type { Known } from './settings.js'

type Check = (section: Section, file: YamlFile, path: YamlPath) => Checked<Readonly<Record<string, unknown>>>

/** What is wrong with the services that one place of the settings asks for, and with what it sets for them. */
export async function serviceProblems(
  services: readonly ServiceSetting[] | undefined,
  yaml: YamlFile,
  path: YamlPath,
  known: Known,
  check: Check,
): Promise<readonly Problem[]> {
  const problems: Problem[] = []
  const seen = new Set<string>()
  for (const [index, { name }] of (services ?? []).entries()) {
    const at = [...path, 'services', index]
    if (seen.has(name)) {
      problems.push({ message: `The service "${name}" is here twice`, place: yaml.place(at), next: 'Keep one of the two' })
    }
    seen.add(name)
    const section = await known.section?.(name)
    // What it needs is asked for also where nothing is set.
    if (section === undefined) continue
    const checked = check(section, yaml, [...at, name])
    const values = Object.entries(checked.values)
    const said = values.map(([key, value]) => ({ name: `services.${name}.${key}`, at: [...at, name, key], value }))
    problems.push(...checked.problems, ...(await wrongReferences(said, yaml, known)))
  }
  return problems
}
