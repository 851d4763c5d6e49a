import { mkdir, writeFile } from 'node:fs/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { execute } from '../../engine/cli/execute.js'
import { app } from '../rig/app.js'
import { writeFiles } from '../rig/cli.js'
import { freshHome, settingError } from '../rig/home.js'
import { settingsMistakes } from './mistakes/settings.js'

const home = freshHome()
const began = process.cwd()

/** Nothing listens on port 1 of loopback: whoever gets so far has not noticed the mistake. */
const down = { provider: 'local', address: '127.0.0.1', port: 1, user: 'root', host_keys: [] }

let project: string
beforeEach(async () => {
  project = `${home.home}/shop`
  await mkdir(project)
  await writeFile(`${project}/nodes.yaml`, stringify({ one: down, two: down }))
  process.chdir(project)
})
afterEach(() => process.chdir(began))

test.each(settingsMistakes)('kraftwerk.yaml: $what', async ({ text, at, says, next, files = {} }) => {
  await writeFile('kraftwerk.yaml', text)
  await writeFiles(project, files)
  const error = await settingError(execute(app, 'deploy', ['--quiet']))
  expect(error).toEqual({
    file: `${project}/kraftwerk.yaml`,
    at,
    message: expect.stringContaining(says),
    next: expect.stringContaining(next),
  })
  expect(error.next).not.toBe('')
})
