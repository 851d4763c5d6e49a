import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { fingerprint } from '../../engine/transfer/fingerprint.js'
import { projectFiles } from '../../project/files.js'
import { surprises } from '../../project/surprises.js'
import { freshHome } from '../rig/home.js'

const home = freshHome()
const put = (path: string, size = 0) => {
  mkdirSync(dirname(join(home.project, path)), { recursive: true })
  writeFileSync(join(home.project, path), '')
  truncateSync(join(home.project, path), size)
}
const said = async () => {
  const { entries, repositories } = await projectFiles(home.project)
  return surprises(home.project, await fingerprint(home.project, entries), repositories)
}

test('a plain project has nothing that surprises', async () => {
  put('app/models.py', 10)
  symlinkSync('models.py', join(home.project, 'app/link.py'))
  symlinkSync('../app', join(home.project, 'app/self'))
  expect(await said()).toEqual([])
})

test('virtualenvs, databases, packages of Node.js and links that lead out are named with the way around', async () => {
  put('env/pyvenv.cfg')
  put('env/bin/python')
  put('db.sqlite3')
  put('front/node_modules/a/index.js')
  writeFileSync(join(home.project, '.kraftignore'), '!node_modules/\n')
  symlinkSync('/etc/passwd', join(home.project, 'a'))
  symlinkSync('../../x', join(home.project, 'front/b'))
  expect(await said()).toEqual([
    'a is a link that leads out of the project; it is sent as it is',
    "db.sqlite3 is a database that every deploy replaces and the application can't write: a line in .kraftignore leaves it out",
    'env is a virtualenv (2 files): a line in .kraftignore leaves it out',
    'front/b is a link that leads out of the project; it is sent as it is',
    'front/node_modules goes along (1 files): a line in .kraftignore leaves it out',
  ])
})

test('much of anything is said with where it is', async () => {
  put('data/huge.bin', 150 * 1024 * 1024)
  put('small', 10)
  expect(await said()).toEqual([
    'The project has 150 MiB, the most of it in data/huge.bin (150 MiB), small (0 MiB): a line in .kraftignore leaves it out',
  ])
  const many = Array.from({ length: 20_001 }, (_, index) => ({
    path: `thumbs/${index}`,
    kind: 'file' as const,
    hash: '',
    size: 1,
  }))
  expect(surprises(home.project, many, [])).toEqual([
    'The project has 20001 files, 20001 of them in thumbs: a line in .kraftignore leaves it out',
  ])
})
