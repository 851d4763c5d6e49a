import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { freshHome } from '../rig/home.js'

const home = freshHome()
const root = join(import.meta.dirname, '../..')
const script = join(root, 'scripts/check-imports.mjs')

async function check(files: Record<string, string>) {
  for (const [path, text] of Object.entries(files)) await home.write(`calculator/${path}`, text)
  const { status, stderr } = spawnSync(process.execPath, [script, home.project], { encoding: 'utf8' })
  return { status, stderr: stderr.trim() }
}

const good = {
  'engine/ssh/connect.ts':
    "import type { Client } from 'ssh2'\nexport type C = Client\nexport const connect = () => import('ssh2')\n",
  'engine/report/terminal.ts': "export const show = () => import('listr2')\n",
  'project/settings.ts': "import { connect } from '../engine/ssh/connect.js'\nexport const a = connect\n",
  'recipes/providers/ec2.ts': "export const sdk = () => import('@aws-sdk/client-ec2')\n",
  'recipes/providers/ec2/client.ts': "import type { EC2Client } from '@aws-sdk/client-ec2'\nexport type C = EC2Client\n",
  'tasks/deploy.ts': "import { a } from '../project/settings.js'\nexport const b = a\n",
  'kraft.ts': "import './tasks/deploy.js'\n",
}

it('says nothing against a tree that is right', async () => {
  expect(await check(good)).toEqual({ status: 0, stderr: '' })
})

it('refuses each violation, with its place', async () => {
  const wrong: readonly (readonly [what: string, file: string, text: string, message: string])[] = [
    [
      'the engine imports a project',
      'engine/a1.ts',
      "\nimport { a } from '../project/settings.js'\nexport const b = a\n",
      'engine/a1.ts:2: engine imports project',
    ],
    [
      'a project imports a type of recipes',
      'project/a2.ts',
      "import type { sdk } from '../recipes/providers/ec2.js'\nexport type B = typeof sdk\n",
      'project/a2.ts:1: project imports recipes',
    ],
    [
      'a recipe loads a task later',
      'recipes/a3.ts',
      "\n\nexport const b = () => import('../tasks/deploy.js')\n",
      'recipes/a3.ts:3: recipes imports tasks',
    ],
    [
      'a type is imported in place',
      'engine/a4.ts',
      "export type B = typeof import('../tasks/deploy.js')\n",
      'engine/a4.ts:1: engine imports tasks',
    ],
    [
      'a room passes on another',
      'engine/a5.ts',
      "export * from '../recipes/providers/ec2.js'\n",
      'engine/a5.ts:1: engine imports recipes',
    ],
    ['a room imports the top', 'engine/a6.ts', "import '../kraft.js'\n", 'engine/a6.ts:1: engine imports kraft.ts'],
    ['ssh2 outside engine/ssh', 'engine/node/a7.ts', "export const b = () => import('ssh2')\n", 'engine/node/a7.ts:1: "ssh2"'],
    [
      'a part of ssh2',
      'engine/node/a8.ts',
      "import type {} from 'ssh2/lib/client.js'\n",
      'engine/node/a8.ts:1: "ssh2/lib/client.js"',
    ],
    [
      'listr2 outside engine/report',
      'tasks/a9.ts',
      "import { Listr } from 'listr2'\nexport const b = Listr\n",
      'tasks/a9.ts:1: "listr2"',
    ],
    [
      'the AWS SDK outside ec2',
      'recipes/providers/ec3.ts',
      "import '@aws-sdk/client-s3'\n",
      'recipes/providers/ec3.ts:1: "@aws-sdk/client-s3"',
    ],
    ['a drawer', 'engine/shell/utils.ts', 'export {}\n', 'engine/shell/utils.ts:1: "utils.ts" names a drawer'],
    [
      'a drawer that is a folder, in the tests',
      'test/helpers/a.ts',
      'export {}\n',
      'test/helpers/a.ts:1: "helpers" names a drawer',
    ],
    ['an import that leads nowhere', 'engine/a10.ts', "import './nothing.js'\n", 'engine/a10.ts:1: "./nothing.js" leads nowhere'],
  ]
  const { status, stderr } = await check({ ...good, ...Object.fromEntries(wrong.map(([, file, text]) => [file, text])) })
  expect(status).toBe(1)
  const lines = stderr.split('\n')
  for (const [what, , , message] of wrong) expect(lines, what).toContainEqual(expect.stringContaining(message))
  expect(lines).toHaveLength(wrong.length)
})

describe('an import cycle', () => {
  const one = "import { b } from './b.js'\nexport const a = () => b\n"
  it('is refused and shown whole', async () => {
    const { status, stderr } = await check({
      'engine/a.ts': one,
      'engine/b.ts': "import { c } from './c.js'\nexport const b = c\n",
      'engine/c.ts': "\nexport { a as c } from './a.js'\n",
    })
    expect(status).toBe(1)
    expect(stderr).toBe('engine/a.ts:1: import cycle: engine/a.ts -> engine/b.ts -> engine/c.ts -> engine/a.ts')
  })
  it('of types alone, or of what is loaded later, is none', async () => {
    const text =
      "import type { a } from './a.js'\nexport type { a as again } from './a.js'\nexport type A = typeof a\nexport const b = () => import('./a.js')\n"
    expect((await check({ 'engine/a.ts': one, 'engine/b.ts': text })).status).toBe(0)
  })
})

it('runs against kraft itself in `npm run check`', async () => {
  const { stdout } = spawnSync(process.execPath, ['-p', "require('./package.json').scripts.check"], {
    cwd: root,
    encoding: 'utf8',
  })
  expect(stdout).toContain('scripts/check-imports.mjs')
})
