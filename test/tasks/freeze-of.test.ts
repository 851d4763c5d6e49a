import { expect, it } from 'vitest'
import { instanceOf } from '../../project/instance.js'
import { loadProject } from '../../project/settings.js'
import { knownKinds } from '../../recipes/kinds.js'
import { freezeOf } from '../../tasks/freeze-of.js'
import { failureOf } from '../rig/failure.js'
import { freshHome } from '../rig/home.js'

const home = freshHome()

async function read(nodes: string) {
  await home.write(
    'calculator/kraftwerk.yaml',
    `wsgi: calculator.wsgi:application\nservices: [postgres]\nenvironments: { live: { nodes: ${nodes} } }\n`,
  )
  const project = await loadProject(home.project, knownKinds())
  if (project === undefined) throw new TypeError('There should be a project')
  return instanceOf(project, 'live')
}

it('writers are held for half of the time that visitors wait', async () => {
  expect(freezeOf(await read('{ web: [a], db: [c] }'), true)).toEqual({ seconds: 15 })
  expect(freezeOf(await read('{ web: [a, b], db: [c] }'), false)).toBeUndefined()
})

it.each(['{ web: [a, b], db: [c] }', '{ web: [a], worker: [b], db: [c] }'])(
  'with nodes %s nobody is told that all of them are held',
  async (nodes) => {
    expect(await failureOf(read(nodes).then((instance) => freezeOf(instance, true)))).toMatchObject({
      kind: 'usage',
      said: expect.stringContaining('--freeze holds what writes on one node, and calculator writes from a, b'),
    })
  },
)
