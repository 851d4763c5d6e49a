import { spawnSync } from 'node:child_process'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { withDefaults } from '../../../engine/config/section-of.js'
import { secret } from '../../../engine/shell/secret.js'
import { compile } from '../../../engine/step/compile.js'
import { kindNames, loadKind, loadKinds } from '../../../recipes/kinds.js'
import { failureOf } from '../../rig/failure.js'

const place = { name: 'shop-2', home: '/web/shop-2' }
const services = await loadKinds('services')

function syntax(script: string): string {
  const { stderr, status } = spawnSync('dash', ['-n'], { input: script, encoding: 'utf8' })
  return status === 0 ? '' : stderr
}

it('services are the files of their folder, under their names', () => {
  expect(services.map(({ name }) => name)).toEqual(kindNames('services'))
  expect(kindNames('services')).toEqual(expect.arrayContaining(['files', 'postgres', 'redis']))
})

it('one that is misspelt brings up the nearest', async () => {
  expect(await failureOf(loadKind('services', 'postgers'))).toMatchObject({
    kind: 'usage',
    said: expect.stringContaining('Did you mean "postgres"?'),
  })
  expect(await failureOf(loadKind('providers', '../kinds'))).toMatchObject({ kind: 'usage' })
})

describe.each(services.map((service) => [service.name, service] as const))('%s', (_name, service) => {
  // What has no default is as in its example.
  const required = Object.entries(service.section).filter(([, { schema }]) => !v.safeParse(schema, undefined).success)
  const settings = withDefaults(service.section, Object.fromEntries(required.map(([key, { example }]) => [key, example])))
  it('says in one line what it is', () => {
    expect(service.doc).toMatch(/^[^\n.]{10,110}$/)
    for (const [key, { doc, example }] of Object.entries(service.section)) {
      expect(key).toMatch(/^[a-z][a-z_]*$/)
      expect([doc, example]).not.toContain(undefined)
    }
  })

  it('has only scripts that dash can parse', () => {
    const steps = [...service.install(), ...service.setup(place, settings), ...service.destroy(place)]
    expect(syntax(compile('test', steps).text)).toBe('')
    for (const step of steps)
      for (const script of [step.check, step.apply, step.diff]) expect(syntax(script?.text ?? '')).toBe('')
    const { data } = service
    if (data === undefined) return
    for (const part of ['dump', 'count', 'beside', 'countBeside', 'swap', 'undo', 'keep', 'forget', 'discard'] as const) {
      expect(syntax(data[part](place).text), part).toBe('')
    }
    expect(syntax(data.prepareUndo?.(place).text ?? '')).toBe('')
  })

  it('has only such where its server is elsewhere, and names no secret in them', () => {
    const { elsewhere } = service
    if (elsewhere === undefined) return
    const scheme = { mysql: 'mysql', redis: 'rediss' }[service.name] ?? 'postgresql'
    const given = {
      ...settings,
      url: secret(`${scheme}://shop:hush-hush@10.0.0.9/${scheme === 'rediss' ? 0 : 'shop'}`),
      authority: 'PEM',
      version: 15,
      extensions: ['a'],
    }
    const reach = { address: '10.0.0.9', clients: ['10.0.0.1', 'fd00::1'] }
    const steps = [
      ...elsewhere.install(),
      ...elsewhere.setup(place, given),
      ...(elsewhere.server?.setup(place, given, reach) ?? []),
    ]
    const compiled = compile('test', steps)
    expect(syntax(compiled.text)).toBe('')
    expect(compiled.text).not.toContain('hush-hush')
    const environ = Object.values(elsewhere.environ(place, given)).join('\n')
    expect(environ).toContain(`${scheme}://shop:hush-hush@10.0.0.9`)
    expect(environ).toContain(`/web/shop-2/${service.name}/authority.crt`)
    for (const step of steps) {
      expect(step.check, step.title).toBeDefined()
      for (const script of [step.check, step.apply, step.diff]) expect(syntax(script?.text ?? ''), script?.text).toBe('')
    }
    expect(syntax(elsewhere.server?.access(place).text ?? '')).toBe('')
    const { data } = elsewhere
    for (const part of ['ready', 'dump', 'beside', 'countBeside', 'swap', 'undo', 'discard'] as const) {
      expect(syntax(data?.[part]?.(place).text ?? 'fi'), part).toBe('')
    }
  })

  it('can tell each time whether there is anything to set up or to remove', () => {
    for (const step of [...service.setup(place, settings), ...service.destroy(place)])
      expect(step.check, step.title).toBeDefined()
  })

  it('names only what is of the instance', () => {
    const text = [...service.setup(place, settings), ...service.destroy(place)].map(({ apply }) => apply.text).join('\n')
    const environ = Object.values(service.environ(place, settings)).join('\n')
    expect(text).toContain('shop-2')
    expect(`${text}${environ}`).not.toMatch(/\/web\/(?!shop-2\b|\.ends\/)|undefined|\[object/)
    for (const name of Object.keys(service.environ(place, settings))) expect(name).toMatch(/^[A-Z][A-Z0-9_]*$/)
  })

  it('keeps its data under a name that a bundle can hold', () => {
    if (service.data !== undefined) expect(service.data.member).toMatch(/^[a-z][\w-]*(\.[a-z]+)*$/)
  })
})
