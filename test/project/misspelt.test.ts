import { expect, it } from 'vitest'
import { stringify } from 'yaml'
import { nearest } from '../../engine/errors/nearest.js'
import { projectSchema } from '../../project/project-schema.js'
import { loadProject } from '../../project/settings.js'
import { kindNames, loadKind, loadKinds } from '../../recipes/kinds.js'
import { freshHome, settingError } from '../rig/home.js'
import { documentWith, misspellings, type SchemaKey, schemaKeys } from '../rig/schema-keys.js'

const home = freshHome()
const vaults = kindNames('vaults')
const known = {
  services: kindNames('services'),
  vaults,
  section: async (name: string) => (await loadKind('services', name)).section,
}
const keys = schemaKeys(projectSchema(await loadKinds('services'), vaults))

/** The maps that hold these keys, so that each is one test. */
const maps = new Map<string, SchemaKey[]>()
for (const key of keys) maps.set(key.path.join('.'), [...(maps.get(key.path.join('.')) ?? []), key])

it.each([...maps])('each misspelt key in "%s" is named with its place and the right one', async (_map, within) => {
  for (const { path, key, known } of within)
    for (const word of misspellings(key).filter((each) => !known.includes(each))) await namesIt(path, word, nearest(word, known))
})

async function namesIt(path: SchemaKey['path'], word: string, right: string | undefined): Promise<void> {
  const text = stringify(documentWith([...path, word], 'x'))
  const file = await home.write('calculator/kraftwerk.yaml', text)
  const said = await settingError(loadProject(home.project, known))
  const shown = `${text}${said.message}`
  const line = text.split('\n').findIndex((each) => each.includes(`${word}:`))
  const column = (text.split('\n')[line] ?? '').indexOf(`${word}:`)
  expect(said.file, shown).toBe(file)
  expect(said.at, shown).toBe(`${line + 1}:${column + 1}`)
  expect(said.message, shown).toContain(`ey "${word}"`)
  expect(said.next, shown).not.toBe('')
  if (right !== undefined) expect(said.message, shown).toContain(`Did you mean "${right}"?`)
}
