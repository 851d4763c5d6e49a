import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { secret } from '../../../engine/shell/secret.js'
import { sh } from '../../../engine/shell/sh.js'
import { compile } from '../../../engine/step/compile.js'
import type { Step } from '../../../engine/step/step.js'
import { runSteps } from '../../rig/run-steps.js'

const reload = { name: 'reload-app', apply: sh`echo reload` }
const touch: Step = { title: 'Touch', check: sh`false`, apply: sh`true` }

describe('a compiled script', () => {
  it('is the same text with the same hash each time', () => {
    const steps = [touch, { ...touch, title: 'Other', files: { content: 'a\n' } }]
    expect(compile('Title', steps).hash).toBe(compile('Title', steps).hash)
    expect(compile('Title', steps).hash).not.toBe(compile('Title', [touch]).hash)
  })

  it('is for any POSIX shell', () => {
    const { text } = compile('Title', [{ ...touch, notify: [reload], files: { content: 'it\'s "$HOME"\n', odd: 'no newline' } }])
    expect(text.startsWith('#!/bin/sh\n')).toBe(true)
    for (const shell of ['dash', 'bash']) expect(spawnSync(shell, ['-n'], { input: text, encoding: 'utf8' }).stderr).toBe('')
  })

  it('holds no secret, only its place', () => {
    const script = compile('Title', [touch, { ...touch, files: { key: secret('hush-hush') } }])
    expect(script.text).not.toContain('hush')
    expect(JSON.stringify(script)).not.toContain('hush')
    expect(script.secrets.map(({ path, value }) => [path, value()])).toEqual([['1/key', 'hush-hush']])
  })

  it('says titles on one line, whatever is in them', async () => {
    const [ended] = await runSteps([{ ...touch, title: 'two\nlines; `id` $(id)' }])
    expect(compile('Title\n$(id)', [touch]).text).toContain('# kraft: Title $(id)\n')
    expect(ended?.status).toBe('changed')
  })

  it('refuses names that would be paths', () => {
    expect(() => compile('Title', [{ ...touch, files: { '../etc/passwd': '' } }])).toThrow('needs a name of letters')
    expect(() => compile('Title', [{ ...touch, files: { 'kraft-check': '' } }])).toThrow('needs a name of letters')
    expect(() => compile('Title', [{ ...touch, notify: [{ name: '../x', apply: sh`true` }] }])).toThrow('cannot be called')
  })

  it('refuses two handlers of one name that do different things', () => {
    const other = { name: 'reload-app', apply: sh`echo other` }
    expect(() =>
      compile('Title', [
        { ...touch, notify: [reload] },
        { ...touch, notify: [other] },
      ]),
    ).toThrow('Two handlers')
    expect(
      compile('Title', [
        { ...touch, notify: [reload] },
        { ...touch, notify: [{ ...reload }] },
      ]).text,
    ).toContain('echo reload')
  })
})

it('a step that holds costs one process, whatever files and handlers it has', async () => {
  const holds: Step = {
    title: 'Holds',
    files: { content: 'text\n', other: "it's" },
    check: sh`test -s "$KRAFT_STEP/content" && test -s "$KRAFT_STEP/other"`,
    diff: sh`echo never`,
    apply: sh`echo never`,
    notify: [reload],
  }
  // In a namespace of its own a process has the number of those before it.
  const processes = async (count: number) => {
    const steps = [...Array.from({ length: count }, () => holds), { title: 'Count', apply: sh`echo "$$"` }]
    const ended = await runSteps(steps, { command: ['unshare', '--pid', '--fork', 'sh', '-s'] })
    expect(ended.map(({ status }) => status)).toEqual([...Array.from({ length: count }, () => 'ok'), 'changed'])
    return Number(ended.at(-1)?.output)
  }
  expect((await processes(20)) - (await processes(10))).toBe(10)
})

describe('a file of a step', () => {
  const every = Array.from({ length: 0x2000 }, (_, code) => String.fromCharCode(code)).join('')
  it.each<[string, string]>([
    ['nothing', ''],
    ['one newline', '\n'],
    ['no newline at its end', 'a\nb'],
    ['newlines at its end', 'a\n\n\n'],
    ['what ends a here-document', 'KRAFT_BASE64\nKRAFT_\nEOF\n'],
    ['what a shell would expand', '$HOME `id` $(id) ${x} \\ \\n \\$ \'"\n'],
    ['carriage returns', 'a\r\nb\r\n'],
    ['a NUL and other control characters', '\0\x01\x1b[31m\x7f\n'],
    ['every character', `${every}\n`],
    ['a line of 300 KB', `${'x'.repeat(300_000)}\n`],
    ['3 MB', `${'line of text\n'.repeat(250_000)}`],
  ])('holding %s arrives byte for byte', async (_name, content) => {
    const expected = Buffer.from(content)
    const [ended] = await runSteps([
      { title: 'Sum', files: { content }, apply: sh`wc -c <"$KRAFT_STEP/content"; sha256sum <"$KRAFT_STEP/content"` },
    ])
    const { createHash } = await import('node:crypto')
    const sum = createHash('sha256').update(expected).digest('hex')
    expect(ended?.output.replaceAll(/\s+/g, ' ')).toBe(`${expected.length} ${sum} -`)
  })
})
