import { join, relative } from 'node:path'
import { is } from 'valibot'
import { Result } from '../engine/task/result.js'
import type { Prompt, Session } from '../engine/task/session.js'
import { findTemplate } from '../engine/template/find.js'
import { describe, projectName } from '../project/detect/describe.js'
import { merged, placeOf } from '../project/detect/finding.js'
import { inspectProject } from '../project/detect/project.js'
import { alreadyThere, checkText, writeNew } from '../project/detect/write.js'
import { domain } from '../project/section.js'
import { kindNames, loadKind, loadKinds } from '../recipes/kinds.js'

/** Writes kraftwerk.yaml into the project that kraft was called in, and says what it found where. */
export async function initExisting(session: Session): Promise<Result> {
  const { folder, prompt, flags } = session
  if (session.project !== undefined) throw alreadyThere(join(session.project.folder, 'kraftwerk.yaml'))
  const { framework, findings } = inspectProject(folder, await loadKinds('frameworks'))
  const services = kindNames('services')
  const ownDomain = flags.dryRun || flags.yes || prompt === undefined ? undefined : await askDomain(session, prompt)
  const text = await describe({ folder, findings, services, domain: ownDomain, template: findTemplate('init/kraftwerk.yaml') })
  const section = async (name: string) => (await loadKind('services', name)).section
  await checkText(folder, text, { services, vaults: kindNames('vaults'), section })
  const data = { folder, framework: framework.name, found: findings, settings: merged(findings), text }
  if (flags.dryRun) return new Result(text.trimEnd(), data)
  const file = await writeNew(folder, text)
  const todos = findings.flatMap((finding) => (finding.todo === undefined ? [] : `  ${placeOf(finding)}: ${finding.todo}`))
  const rows = [
    `${framework.doc.split(':')[0]}:`,
    ...findings.map((finding) => `  ${finding.what} (${placeOf(finding)})`),
    ...(todos.length === 0 ? [] : ['Look at:', ...todos]),
    `Wrote ${relative(folder, file)}`,
  ]
  // Without a callable nothing runs: what to do then is said above.
  return new Result(rows.join('\n'), { ...data, file }, data.settings.wsgi === undefined ? undefined : 'kraft dev')
}

async function askDomain({ folder, report }: Session, prompt: Prompt): Promise<string | undefined> {
  const example = `stage.${projectName(folder)}.example.com`
  for (;;) {
    const typed = (await prompt.text(`Domain of stage, as in ${example} (empty: the node's own address)`)).trim()
    if (typed === '') return undefined
    if (is(domain, typed)) return typed
    report.note(`"${typed}" is no domain, as ${example} is one`)
  }
}
