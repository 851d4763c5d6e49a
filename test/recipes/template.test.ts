import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { secret } from '../../engine/shell/secret.js'
import { useTemplates } from '../../engine/template/find.js'
import { template } from '../../recipes/template.js'
import { runSteps } from '../rig/run-steps.js'

const me = { owner: userInfo().username, group: execFileSync('id', ['-gn'], { encoding: 'utf8' }).trim() }
let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kraft-template-'))
  useTemplates([join(folder, 'mine'), join(folder, 'missing')])
  mkdirSync(join(folder, 'mine'))
})
afterEach(() => {
  useTemplates([])
  rmSync(folder, { recursive: true, force: true })
})

describe('template', () => {
  it('lands on the node as it was rendered, then has nothing to do', async () => {
    writeFileSync(join(folder, 'mine/reports.conf.ejs'), 'jobs = <%= jobs %>\n<% if (mail) { -%>\nmail = <%= mail %>\n<% } -%>\n')
    const to = join(folder, 'reports.conf')
    const steps = template('reports.conf', { to, vars: { jobs: 4, mail: '"<a@b.c>" & co' }, ...me })
    expect((await runSteps(steps)).map(({ status }) => status)).toEqual(['changed'])
    expect(readFileSync(to, 'utf8')).toBe('jobs = 4\nmail = "<a@b.c>" & co\n')
    expect((await runSteps(steps)).map(({ status }) => status)).toEqual(['ok'])
  })

  it('is a secret as soon as one of its values is', async () => {
    writeFileSync(join(folder, 'mine/env'), '<% for (const { value } of list) { -%>\nKEY=<%= value %>\n<% } -%>\n')
    const to = join(folder, 'env')
    const steps = template('env', { to, vars: { list: [{ value: secret('hush-hush') }] }, ...me })
    expect(JSON.stringify(steps)).not.toContain('hush-hush')
    const output = (await runSteps(steps)).map((step) => step.output).join('')
    expect(output).not.toContain('hush-hush')
    expect(readFileSync(to, 'utf8')).toBe('KEY=hush-hush\n')
    expect((statSync(to).mode & 0o777).toString(8)).toBe('600')
  })

  it('is none where it does not use the secret among its values', async () => {
    writeFileSync(join(folder, 'mine/name'), '<%= place.name %>\n')
    const to = join(folder, 'name')
    const place = { name: 'shop', settings: { password: secret('hush-hush') } }
    const [step] = template('name', { to, vars: { place }, ...me })
    expect(step?.files?.content).toBe('shop\n')
  })
})
