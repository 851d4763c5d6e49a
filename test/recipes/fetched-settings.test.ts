import * as v from 'valibot'
import { beforeAll, expect, it } from 'vitest'
import { isSecret, reveal } from '../../engine/shell/secret.js'
import { service } from '../../project/define-service.js'
import { instanceOf } from '../../project/instance.js'
import { loadProject } from '../../project/settings.js'
import { environLayers, readApplication, withFetched } from '../../recipes/application.js'
import { addKinds, kindNames, loadKind } from '../../recipes/kinds.js'
import { orVault } from '../../recipes/or-vault.js'
import { freshHome, settingError } from '../rig/home.js'

const home = freshHome()
// One of a kraftfile: what a built-in one may, it may.
const solr = service({
  name: 'solr',
  schema: v.object({ core: v.string(), key: v.pipe(orVault(v.string()), v.description('Who may ask')) }),
  environ: (_place, { core, key }) => ({ SOLR_CORE: core, SOLR_KEY: key }),
  made: ['SOLR_PASSWORD'],
  shell: () => ['solr-cli'],
})
beforeAll(() => addKinds({ solr }, 'kraftfile.ts'))

const load = async (key: string) => {
  await home.write(
    'calculator/kraftwerk.yaml',
    `wsgi: calculator.wsgi:application\nservices: [{ solr: { core: books, key: ${key} } }]\n`,
  )
  const project = await loadProject(home.project, {
    services: kindNames('services'),
    vaults: kindNames('vaults'),
    section: async (name) => (await loadKind('services', name)).section,
    reference: async (vault, reference) => (await loadKind('vaults', vault)).problem?.(reference),
  })
  if (project === undefined) throw new TypeError('There should be a project')
  return readApplication(instanceOf(project, undefined))
}
const environOf = async (key: string, dryRun: boolean) => {
  const said: string[] = []
  const application = await withFetched(await load(key), dryRun, (text) => said.push(text))
  const record = { name: 'one', address: '192.0.2.1', provider: 'static', user: 'root', host_keys: [] }
  const layers = environLayers(application, { place: application.instance, id: 'r', generation: 'g' }, record)
  return { said, values: layers.find(({ from }) => from === 'service solr')?.values }
}

it('a setting of an own service comes from a vault, as a secret that its environment takes', async () => {
  const { values, said } = await environOf('{ command: echo hidden-in-there }', false)
  expect([said, values?.SOLR_CORE, isSecret(values?.SOLR_KEY)]).toEqual([[], 'books', true])
  expect(isSecret(values?.SOLR_KEY) && reveal(values.SOLR_KEY)).toBe('hidden-in-there')
})

it('as it is it is taken as well', async () => {
  expect((await environOf('as-it-is', false)).values).toEqual({ SOLR_CORE: 'books', SOLR_KEY: 'as-it-is' })
})

it('a dry run fetches nothing and says where it would come from', async () => {
  const { values, said } = await environOf('{ command: exit 1 }', true)
  expect(said).toEqual(['services.solr.key: from command'])
  expect(values).toEqual({ SOLR_CORE: 'books', SOLR_KEY: 'from command' })
})

it('a reference that its vault does not know is refused with its place', async () => {
  const error = await settingError(load('{ op: solr/key }'))
  expect(error).toMatchObject({
    at: expect.stringMatching(/^2:/),
    message: expect.stringContaining('"services.solr.key.op" should be op://'),
  })
})

it('keeps all that a service can say', () => {
  expect(solr.made).toEqual(['SOLR_PASSWORD'])
  expect(solr.shell?.({ name: 'shop', home: '/web/shop' }, {})).toEqual(['solr-cli'])
})
