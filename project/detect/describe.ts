import { basename } from 'node:path'
import { stringify } from 'yaml'
import { instanceNameProblem, nameOfFolder } from '../name.js'
import { type Detected, type Finding, merged, placeOf } from './finding.js'

/** What a project is described with. */
export interface Description {
  readonly folder: string
  readonly findings: readonly Finding[]
  /** Services that can be asked for. */
  readonly services: readonly string[]
  readonly domain: string | undefined
  /** The template of kraftwerk.yaml. */
  readonly template: string
}

/**
 * The name of a project, made of its folder's where that is no good one by itself.
 *
 * @example projectName('/home/ada/2048') // 'project'
 */
export function projectName(folder: string): string {
  const name = nameOfFolder(basename(folder)).slice(0, 20).replace(/-+$/, '')
  if (name !== '' && instanceNameProblem(name) === undefined) return name
  const longer = `${name.slice(0, 15).replace(/-+$/, '')}-site`
  return name !== '' && instanceNameProblem(longer) === undefined ? longer : 'project'
}

/** The text of a kraftwerk.yaml that says what was found, with comments that say where. */
export async function describe({ folder, findings, services, domain, template }: Description): Promise<string> {
  const { default: ejs } = await import('ejs')
  const name = projectName(folder)
  const places = (key: keyof Detected) => {
    const saying = findings.filter(({ sets }) => sets?.[key] !== undefined)
    const counted = ['packages', 'services', 'shared', 'processes', 'environ'].includes(key) ? saying : saying.slice(0, 1)
    return [...new Set(counted.map(placeOf))]
  }
  const todos = findings.flatMap((finding) => (finding.todo === undefined ? [] : `${placeOf(finding)}: ${finding.todo}`))
  const variables = {
    name,
    named: nameOfFolder(basename(folder)) !== name,
    stage: `${name}-stage`,
    example: name.replaceAll('-', '_'),
    found: merged(findings),
    known: services,
    todos: todos.map((row) => row.replaceAll(/\s+/g, ' ')),
    domain,
    from: (key: keyof Detected) => (places(key).length === 0 ? '' : ` (${places(key).join(', ')})`),
    yaml: (value: string) => stringify(value, { lineWidth: 0 }).trimEnd(),
    quoted: (value: string) => JSON.stringify(value),
  }
  return ejs.renderFile(template, variables, { escape: String })
}
