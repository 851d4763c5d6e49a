import { describe, expect, it } from 'vitest'
import { effectiveProject } from '../../project/effective.js'
import { loadProject } from '../../project/settings.js'
import { knownKinds } from '../../recipes/kinds.js'
import { freshHome } from '../rig/home.js'

const at = freshHome()

/** `VALUE (PLACE)` of each setting, with places in kraftwerk.yaml as line and column. */
async function counts(text: string, environment?: string): Promise<Readonly<Record<string, string>>> {
  await at.write('calculator/kraftwerk.yaml', text)
  const known = knownKinds()
  const project = await loadProject(at.project, known)
  if (project === undefined) throw new Error('There is a kraftwerk.yaml')
  const rows = await effectiveProject(project, environment, known)
  const short = (from: string) => from.replace(`${project.file}:`, '')
  return Object.fromEntries(rows.map(({ setting, value, from }) => [setting, `${value} (${short(from)})`]))
}

const yaml = `wsgi: shop.wsgi:application
workers: 4
packages: django psycopg
environ: { MODE: fast, RATE: 1.10 }
environments:
  stage:
    workers: 1
    environ: { MODE: slow }
    nodes: [one]
`

describe('where a setting comes from', () => {
  it('is the environment, the project or a default, as it is written there', async () => {
    expect(await counts(yaml, 'stage')).toMatchObject({
      name: 'calculator (default)',
      wsgi: 'shop.wsgi:application (1:1)',
      workers: '1 (7:5)',
      packages: 'django psycopg (3:1)',
      max_body: '100 MB (default)',
      nodes: '["one"] (9:5)',
    })
    expect((await counts(yaml)).workers).toBe('4 (2:1)')
  })

  it('is told for each key of a map that is merged', async () => {
    expect(await counts(yaml, 'stage')).toMatchObject({ 'environ.MODE': 'slow (8:16)', 'environ.RATE': '1.10 (4:24)' })
  })

  it('is a variable, which wins', async () => {
    process.env.KRAFT_WORKERS = '8'
    expect((await counts(yaml, 'stage')).workers).toBe('8 (KRAFT_WORKERS)')
  })

  it('is left out where nothing is set', async () => {
    const found = await counts(yaml)
    for (const name of ['domain', 'aliases', 'cdn', 'nodes']) expect(found).not.toHaveProperty(name)
  })
})

describe('a word and a map', () => {
  it('auto goes on below what an environment adds', async () => {
    const text = `${yaml}    https: { email: a@example.com }\n    domain: s.example.com\nhttps: auto\n`
    expect(await counts(text, 'stage')).toMatchObject({ https: 'auto (12:1)', 'https.email': 'a@example.com (10:14)' })
  })

  it('a path of health goes on below what an environment adds', async () => {
    const text = `${yaml}    health: { timeout: 5 }\nhealth: /up\n`
    expect(await counts(text, 'stage')).toMatchObject({ health: '/up (11:1)', 'health.timeout': '5 (10:15)' })
  })

  it('false replaces what was said before', async () => {
    const text = `${yaml}    protect: false\nprotect: { user: a, password: long-enough }\n`
    const found = await counts(text, 'stage')
    expect(found.protect).toBe('false (10:5)')
    expect(found).not.toHaveProperty('protect.user')
  })
})

it('secrets are masked, and what a vault is asked for is not', async () => {
  const text = `wsgi: shop.wsgi:application
environ: { API_TOKEN: c4nary-1, DATABASE: "postgres://me:c4nary-2@db/x", KEPT: { op: op://a/b/c } }
services: [{ redis: { url: "redis://:c4nary-3@r.example.com/0" } }]
notify: [{ webhook: https://chat.example.com/c4nary-4 }]
protect: { user: a, password: c4nary-55 }
`
  const found = await counts(text)
  expect(JSON.stringify(found)).not.toContain('c4nary')
  expect(found).toMatchObject({
    'environ.API_TOKEN': '[secret] (2:12)',
    'environ.KEPT': '{"op":"op://a/b/c"} (2:74)',
    'protect.user': 'a (5:12)',
  })
})
