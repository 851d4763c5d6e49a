import { join } from 'node:path'
import { describe } from '../../project/detect/describe.js'
import { merged, placeOf } from '../../project/detect/finding.js'
import { inspectProject } from '../../project/detect/project.js'
import { checkText } from '../../project/detect/write.js'
import { kindNames, loadKind, loadKinds } from '../../recipes/kinds.js'
import { type Files, writeFiles } from './cli.js'

const template = join(import.meta.dirname, '../../templates/init/kraftwerk.yaml.ejs')

/** What `kraft init` finds in a folder with these files; the kraftwerk.yaml that says so is one that kraft reads. */
export async function seeProject(folder: string, files: Files) {
  await writeFiles(folder, files)
  const { framework, findings } = inspectProject(folder, await loadKinds('frameworks'))
  const services = kindNames('services')
  const text = await describe({ folder, findings, services, domain: undefined, template })
  const section = async (name: string) => (await loadKind('services', name)).section
  await checkText(folder, text, { services, vaults: kindNames('vaults'), section })
  const places = Object.fromEntries(findings.map((finding) => [placeOf(finding), finding.what]))
  const todos = findings.flatMap(({ todo }) => todo ?? []).join('\n')
  return { framework: framework.name, settings: merged(findings), places, todos, text }
}
