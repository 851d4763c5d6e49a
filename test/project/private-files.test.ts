import { expect, it } from 'vitest'
import { projectFiles } from '../../project/files.js'
import { privateFiles } from '../../project/private-files.js'
import { loadProject } from '../../project/settings.js'
import { freshHome } from '../rig/home.js'

const home = freshHome()

it('keys of certificates of all environments stay out of what is uploaded, even where .kraftignore takes them in', async () => {
  const https = (key: string) => `https: { certificate: site.pem, key: ${key} }`
  await home.write(
    'calculator/kraftwerk.yaml',
    `wsgi: a.b:c\n${https('keys/main.key')}\nenvironments:\n  stage: { ${https('./stage.key')} }\n  live: { ${https('/etc/live.key')} }\n  test: { ${https('../test.key')} }\n`,
  )
  await home.write('calculator/.kraftignore', '!keys/\n!*.key\n')
  for (const path of ['keys/main.key', 'keys/note.txt', 'stage.key', 'site.pem']) await home.write(`calculator/${path}`, 'x')
  const project = await loadProject(home.project, { services: [], vaults: [] })
  if (project === undefined) throw new Error('There is a kraftwerk.yaml')
  expect(privateFiles(project)).toEqual(['keys/main.key', 'stage.key'])
  const { entries } = await projectFiles(home.project, privateFiles(project))
  expect(entries.map(({ path }) => path)).toEqual(['.kraftignore', 'keys/note.txt', 'kraftwerk.yaml', 'site.pem'])
})
