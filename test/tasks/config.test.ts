import { expect, it } from 'vitest'
import { kraft } from '../rig/cli.js'
import { freshHome } from '../rig/home.js'

const at = freshHome()
const yaml = `wsgi: shop.wsgi:application
environments:
  stage: { workers: 1, nodes: [to-be-made] }
  live: { workers: 8 }
`
const config = async (word: string, ...args: readonly string[]) => {
  await at.write('calculator/kraftwerk.yaml', yaml)
  return kraft([word, ...args], { cwd: at.project, env: { HOME: at.home } })
}

it("shows the user's settings, and those of the project without an environment", async () => {
  const { stdout, code } = await config('config')
  expect(code).toBe(0)
  expect(stdout).toMatch(/^local\.image +bookworm +default$/m)
  expect(stdout).toMatch(/^\ncalculator\nSETTING +VALUE +FROM$/m)
  expect(stdout).toMatch(/^workers +2 +default$/m)
})

it('shows an environment, also one whose nodes are still to be made', async () => {
  const { stdout } = await config('config:stage,live', '--json')
  const [stage, live]: readonly { data: readonly { of: string; setting: string; value: string; from: string }[] }[] =
    JSON.parse(stdout)
  const workers = [stage, live].map((each) => each?.data.find(({ setting }) => setting === 'workers'))
  expect(workers).toMatchObject([
    { of: 'stage', value: '1', from: `${at.project}/kraftwerk.yaml:3:12` },
    { of: 'live', value: '8', from: `${at.project}/kraftwerk.yaml:4:11` },
  ])
})

it('a word that means nothing is a mistake of the command line', async () => {
  const { code, stderr } = await config('config:stgae')
  expect(code).toBe(2)
  expect(stderr).toContain('There is no environment or node "stgae". Did you mean "stage"?')
})
