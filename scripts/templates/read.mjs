// The templates of the package: their page, and where their headers are not what the code gives them.
import { headerProblems } from './check.mjs'
import { templatesPage } from './page.mjs'

/** `load` imports a source. `page` makes docs/templates.md, `problems` has a line for each mistake. */
export async function readTemplates(root, load) {
  const [{ listTemplates }, { templateHeader }, { skeletonVariables }] = await Promise.all([
    load('engine/template/list.ts'),
    load('engine/template/header.ts'),
    load('project/skeleton.ts'),
  ])
  const templates = listTemplates()
    .filter(({ name, file }) => file.endsWith('.ejs') && !name.startsWith('skeleton/'))
    .map(({ name, file }) => ({ name, file, header: templateHeader(name) }))
  return { page: (note) => templatesPage(templates, skeletonVariables, note), problems: headerProblems(templates, root) }
}
