import type { Section } from '../engine/config/section.js'
import { markdownTable, sentence } from '../engine/config/section-table.js'
import { userSection } from '../engine/config/user-section.js'
import { recordSection } from '../engine/node/record-section.js'
import { environmentSection, projectSection } from './section.js'

/** A service, provider or framework as the documentation of the settings shows it. */
export interface Documented {
  readonly name: string
  readonly doc: string
  readonly section?: Section
}

/** What comes in kinds. */
export interface Kinds {
  readonly services: readonly Documented[]
  readonly providers: readonly Documented[]
  readonly frameworks: readonly Documented[]
  readonly vaults: readonly (Documented & { readonly example: string })[]
}

/** A part of the settings that has a name. */
export interface Chapter {
  readonly name: string
  readonly doc: string
  readonly section: Section
}

/** All settings, part by part: the files, and what each service and each provider can be set to. */
export function chapters({ services, providers, vaults }: Kinds): readonly Chapter[] {
  const { project, own } = projectParts(services, vaults)
  return [
    { name: 'project', doc: 'kraftwerk.yaml', section: project },
    { name: 'environments', doc: 'An environment: all of the project but version and default_node, and besides', section: own },
    ...services.map(({ name, doc, section = {} }) => ({ name, doc: `The service ${name}: ${doc}`, section })),
    { name: 'user', doc: '~/.kraftwerk.yaml', section: userSection(names(providers)) },
    ...providers.map(({ name, doc, section = {} }) => ({ name, doc: `The provider ${name}: ${doc}`, section })),
    { name: 'nodes', doc: 'nodes.yaml, one entry for each node', section: recordSection },
  ]
}

/** The page about all settings, in Markdown. */
export function settingsPage({ services, providers, frameworks, vaults }: Kinds): string {
  const { project, own } = projectParts(services, vaults)
  const set = services.filter(({ section = {} }) => Object.keys(section).length > 0)
  return `# Settings

YAML holds values, the [kraftfile](kraftfile.md) holds code. Three files are read:

- \`kraftwerk.yaml\`: the project. The nearest one upwards counts, so kraft works anywhere inside a project.
- \`~/.kraftwerk.yaml\`: you, on this machine. It may hold secrets; kraft warns if others can read it.
- \`nodes.yaml\`: the nodes that kraft remembers. kraft writes it.

What is said in several places: an option on the command line wins over a \`KRAFT_*\` variable, then the environment, then
\`kraftwerk.yaml\`, then \`~/.kraftwerk.yaml\`, then the default. Maps merge, lists replace. A mistake is an error that names file,
line and column, and what was meant where that can be told, before any node is reached. \`kraft settings\` prints what follows, also for the services and providers of your kraftfile and its plugins.

\`kraft config\` shows what counts and where each comes from (a variable, \`FILE:LINE:COLUMN\`, a default): your own settings and the
project's, with \`kraft config:stage\` those of an environment, also before its nodes are made. Values are as they are written, key by key
where maps merge. Secrets are masked by their names, addresses with a password as a whole.

## kraftwerk.yaml

Lists of words can be written as one text: \`packages: django pillow\`.

${markdownTable(project)}

### environments

An environment has a name (\`stage\`, \`live\`…) and may set everything above but \`version\` and \`default_node\`, which then wins,
and besides:

${markdownTable(own)}

### services

${list(services, '`')}

A service with settings is written \`services: [{ NAME: { KEY: VALUE } }]\`.${set.length > 0 ? '' : ' None of these has settings yet.'}
${set.map(({ name, section = {} }) => `\n#### ${name}\n\n${markdownTable(section)}\n`).join('')}
### Vaults

A value of \`environ\` can be fetched from where it is kept: \`API_KEY: { op: op://shop/stripe/key }\`.
[The environment](environment.md#from-a-vault) tells when and how.

${vaults.map(({ name, doc, example }) => `- \`${name}\`: ${sentence(doc)} For example \`{ ${name}: ${example} }\`.`).join('\n')}

### Frameworks

What a project is made with is detected, not set:

${list(frameworks)}

## ~/.kraftwerk.yaml

${markdownTable(userSection(names(providers)))}

Beside these, each provider has a section of its name. \`kraft provision NAME --set KEY=VALUE\` sets one value for one node.
${providers.map(({ name, doc, section = {} }) => `\n### ${name}\n\n${sentence(doc)}\n\n${markdownTable(section)}\n`).join('')}
## nodes.yaml

One entry for each node, by name. It holds no secrets, so a team can commit the one beside \`kraftwerk.yaml\`. Local nodes, and
nodes that were made outside a project, are in \`~/.kraftwerk/nodes.yaml\`.

${markdownTable(recordSection)}

## Variables

\`KRAFT_WORKERS=4 kraft reload\` sets \`workers\`: a key of \`kraftwerk.yaml\` in capitals (not \`name\`, \`version\` or
\`environments\`). \`KRAFT_PROVIDER\` and the others of \`~/.kraftwerk.yaml\` work in the same way, and \`KRAFT_EC2_SECRET\` is the key
\`secret\` of the section \`ec2\`. [local.md](local.md) names those of the local provider.
`
}

function projectParts(
  services: readonly Documented[],
  vaults: readonly Documented[],
): { readonly project: Section; readonly own: Section } {
  const known = { services: names(services), vaults: names(vaults) }
  const project = projectSection(known)
  return {
    project,
    own: Object.fromEntries(Object.entries(environmentSection(known)).filter(([key]) => !Object.hasOwn(project, key))),
  }
}

function names(all: readonly Documented[]): readonly string[] {
  return all.map(({ name }) => name)
}

function list(all: readonly Documented[], mark = ''): string {
  return all.map(({ name, doc }) => `- ${mark}${name}${mark}: ${sentence(doc)}`).join('\n')
}
