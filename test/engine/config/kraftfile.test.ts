import { chmod, chown, mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadKraftfile } from '../../../engine/config/kraftfile.js'
import { failureOf, freshHome, settingError } from '../../rig/home.js'

const home = freshHome()
const load = () => loadKraftfile(home.project)

it('gives exports, their help and where they are', async () => {
  const file = await home.write(
    'calculator/kraftfile.ts',
    `interface Unused { a: string }
/** Say hello. */
export const hello: string = 'hello' satisfies string
export default 1
export const wait = await Promise.resolve(2)
`,
  )
  expect(await load()).toEqual({
    file,
    folder: home.project,
    exports: { hello: 'hello', wait: 2 },
    docs: { hello: 'Say hello.' },
    declared: { hello: { file, line: 3, column: 14 }, wait: { file, line: 5, column: 14 } },
    imports: [file],
  })
})

it('mistakes in types do not stop it', async () => {
  await home.write('calculator/kraftfile.ts', 'export const n: number = "text"\nexport const m: Missing = 1\n')
  expect((await load())?.exports).toEqual({ n: 'text', m: 1 })
})

describe('the nearest one upwards', () => {
  it('is found from deep inside', async () => {
    await home.write('calculator/kraftfile.mjs', 'export const a = 1')
    await mkdir(join(home.project, 'deep/er'), { recursive: true })
    expect(await loadKraftfile(join(home.project, 'deep/er'))).toMatchObject({ folder: home.project })
  })
  it('is not looked for beyond the git root', async () => {
    await home.write('kraftfile.ts', 'export const a = 1')
    expect(await load()).toBeDefined()
    await mkdir(join(home.project, '.git'))
    expect(await load()).toBeUndefined()
  })
  it('is not looked for beyond home', async () => {
    await home.write('kraftfile.ts', 'export const a = 1')
    process.env.HOME = home.project
    expect(await load()).toBeUndefined()
  })
  it('may be empty', async () => {
    await home.write('calculator/kraftfile.ts', ' \n')
    expect(await load()).toMatchObject({ exports: {} })
  })
})

describe('a kraftfile that others can change is refused', () => {
  it.each([
    ['everybody may write the file', 0o666, 0o755],
    ['everybody may write the folder', 0o644, 0o777],
  ])('%s', async (_name, fileMode, folderMode) => {
    const file = await home.write('calculator/kraftfile.ts', 'globalThis.ran = true')
    await chmod(file, fileMode)
    await chmod(home.project, folderMode)
    const error = await settingError(load())
    expect(error).toMatchObject({
      file,
      message: expect.stringContaining('everybody can write'),
      next: expect.stringContaining('chmod o-w'),
    })
    expect(globalThis).not.toHaveProperty('ran')
  })

  it.runIf(process.getuid?.() === 0)('another user owns it, or its group has other members', async () => {
    const file = await home.write('calculator/kraftfile.ts', 'export const a = 1')
    await chown(file, 65_534, 0)
    expect((await settingError(load())).message).toContain('belongs to another user')
    await chown(file, 0, 65_534)
    await chmod(file, 0o664)
    expect((await settingError(load())).message).toContain('its group can write')
    await chmod(file, 0o644)
    expect(await load()).toBeDefined()
  })
})

describe('what is wrong with it', () => {
  it('code at its top that waits too long is named', async () => {
    const file = await home.write(
      'calculator/kraftfile.ts',
      'export const a = 1\nawait new Promise((end) => setTimeout(end, 60_000))\n',
    )
    expect(await settingError(loadKraftfile(home.project, { patience: 0.01 }))).toMatchObject({
      file,
      at: '2:1',
      message: 'The top of this file still waits after 0.01 seconds',
    })
  })
  it('a syntax error names file, line and column', async () => {
    const file = await home.write('calculator/kraftfile.ts', 'export const a = 1\nconst b: = 2\n')
    expect(await settingError(load())).toMatchObject({ file, at: '2:10', message: expect.stringContaining('Syntax error') })
  })
  it('also in a file that it imports, and in plain JavaScript', async () => {
    const file = await home.write('calculator/other.mjs', 'export const a = 1\n\nexport const = 2\n')
    await home.write('calculator/kraftfile.mjs', "import { a } from './other.mjs'\nexport { a }\n")
    expect(await settingError(load())).toMatchObject({ file, at: '3:14' })
  })
  it('a missing import says which, and where it is asked for', async () => {
    await home.write('calculator/kraftfile.ts', "import './inner'\n")
    const file = await home.write('calculator/inner.ts', "\nimport { a } from './nothing'\nexport const b = a\n")
    expect(await settingError(load())).toMatchObject({ file, at: '2:19', message: 'Cannot find what it imports: "./nothing"' })
  })
  it('a missing package says how to get it', async () => {
    const file = await home.write('calculator/kraftfile.ts', "import { a } from '@some/where/deep'\nexport const b = a\n")
    expect(await settingError(load())).toMatchObject({ file, at: '1:19', next: 'npm install --save-dev @some/where' })
  })
  it('code that throws is named by line, whatever it throws', async () => {
    const file = await home.write('calculator/kraftfile.ts', "const a: number = 1\n\nthrow new Error('no luck')\nexport { a }\n")
    expect(await settingError(load())).toMatchObject({
      file,
      at: expect.stringMatching(/^3:/),
      message: 'This code failed: no luck',
    })
  })
  it('a file that it reads and that is missing is not taken for a missing kraftfile', async () => {
    await home.write(
      'calculator/kraftfile.ts',
      "import { readFileSync } from 'node:fs'\nexport const a = readFileSync('/nothing/here')\n",
    )
    expect((await failureOf(load())).kind).toBe('setting')
  })
})

it('every local file that it loads is listed, however it is loaded', async () => {
  await home.write('calculator/package.json', '{"type":"module"}')
  await home.write(
    'calculator/kraftfile.ts',
    "import './a'\nimport './native.js'\nconst name = './dynamic'\nexport const x = await import(name)\nimport data from './data.json' with { type: 'json' }\nexport const y = data\nimport 'dep'\n",
  )
  await home.write('calculator/a.ts', "export * from './lib/b.js'\n")
  await home.write('calculator/lib/b.ts', 'export const b: number = 1\n')
  await home.write('calculator/native.js', "import './native-inner.js'\n")
  await home.write('calculator/native-inner.js', 'export {}\n')
  await home.write('calculator/dynamic.ts', 'export {}\n')
  await home.write('calculator/data.json', '{}')
  await home.write('calculator/node_modules/dep/package.json', '{"name":"dep","type":"module","exports":"./index.js"}')
  await home.write('calculator/node_modules/dep/index.js', 'export {}')
  const names = (await load())?.imports.map((file) => file.slice(home.project.length + 1)).sort()
  expect(names).toEqual(['a.ts', 'data.json', 'dynamic.ts', 'kraftfile.ts', 'lib/b.ts', 'native-inner.js', 'native.js'])
})

it('help follows tasks that other files pass on', async () => {
  await home.write('calculator/kraftfile.ts', "export * from './tasks'\nexport { inner as renamed } from './tasks'\n")
  const file = await home.write('calculator/tasks.ts', '\n/** Inner. */\nexport const inner = 1\n')
  expect(await load()).toMatchObject({ docs: { inner: 'Inner.', renamed: 'Inner.' }, declared: { renamed: { file, line: 3 } } })
})

it('compiled code is kept where only we can write', async () => {
  await home.write('calculator/kraftfile.ts', 'export const a: number = 1')
  await load()
  expect((await stat(join(home.home, '.cache/kraftwerk/jiti'))).mode & 0o777).toBe(0o700)
})
