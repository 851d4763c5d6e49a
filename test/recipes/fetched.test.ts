import { beforeAll, expect, test } from 'vitest'
import { instanceOf } from '../../project/instance.js'
import { loadProject } from '../../project/settings.js'
import { vault } from '../../project/vault.js'
import { fetchValues } from '../../recipes/fetched.js'
import { addKinds, kindNames } from '../../recipes/kinds.js'
import { failureOf, freshHome } from '../rig/home.js'

const home = freshHome()
const shelf = vault({
  name: 'shelf',
  doc: 'ours',
  example: 'box/key',
  login: 'Is the shelf open?',
  command: (reference) => ['sh', '-c', reference],
  read: (printed) => {
    const { key } = JSON.parse(printed)
    if (key === undefined) throw new Error('the box has no key')
    return key
  },
})
const elsewhere = vault({ ...shelf, name: 'elsewhere', command: () => ['no-such-program'] })
beforeAll(() => addKinds({ shelf, elsewhere }, 'kraftfile.ts'))

const fetch = async (value: string) => {
  await home.write('calculator/kraftwerk.yaml', `wsgi: calculator.wsgi:application\nenviron: { KEY: ${value} }\n`)
  const project = await loadProject(home.project, { services: [], vaults: kindNames('vaults') })
  if (project === undefined) throw new TypeError('There should be a project')
  return fetchValues(instanceOf(project, undefined))
}

// Whoever has logged in is not to be told to log in.
test.each([
  ['{ shelf: exit 4 }', 'shelf: sh ended with code 4', 'Is the shelf open?'],
  [
    '{ shelf: "true" }',
    'shelf: what was printed is not understood',
    'Correct the reference true; one of shelf looks like box/key',
  ],
  [`{ shelf: "echo '{}'" }`, 'shelf: the box has no key', "Correct the reference echo '{}'; one of shelf looks like box/key"],
  [`{ shelf: "printf '{\\"key\\":\\"\\"}'" }`, 'shelf: sh printed nothing', 'Put a value there: '],
  [
    '{ command: "yes | head -c 130000" }',
    'command: what it printed has 129999 bytes',
    'Have the application read it from a file',
  ],
  ['{ elsewhere: x }', 'elsewhere: there is no program no-such-program here', 'Install it here, or keep the value on the nodes'],
])('%s: what is wrong is said with what to do', async (value, message, next) => {
  expect(await failureOf(fetch(value))).toMatchObject({
    kind: 'task',
    message: expect.stringContaining(`KEY can't be had from ${message}`),
    next: expect.stringContaining(next),
  })
})
