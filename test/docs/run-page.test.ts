import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { ensurePackages } from '../rig/packages.js'
import { parsePage } from './page.js'
import { type Place, runPage } from './run-page.js'

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'kraftwerk-reader-'))
  onTestFinished(() => rm(home, { recursive: true, force: true }))
})

const sh = (text: string, how = '') => `\`\`\`sh${how}\n${text}\n\`\`\`\n`
const text = (printed: string) => `\`\`\`text\n${printed}\n\`\`\`\n`
const run = (page: string, place: Partial<Place> = {}) =>
  runPage(parsePage('docs/x.md', page), { home, env: process.env, ...place })
const failure = (page: string, place?: Partial<Place>) => run(page, place).then(() => 'it ran', String)
const file = (path: string) => readFile(join(home, path), 'utf8')

test('a page begins at home, and each block where the former ended, with its exported variables', async () => {
  const first = sh("mkdir shop && cd shop\nexport WORD='a  b'") + text('')
  await run(
    `${first}\`\`\`yaml deep/a.yaml\nx: 1\n\`\`\`\n\`\`\`yaml deep/a.yaml +\ny: 2\n\`\`\`\n${sh('echo "$WORD" $PWD; tty').replace(
      'tty',
      'tty || true',
    )}${text(`a  b …/shop\nnot a tty`)}\`\`\`ini ~/.rc\nz\n\`\`\`\n`,
  )
  expect([await file('shop/deep/a.yaml'), await file('.rc')]).toEqual(['x: 1\ny: 2\n', 'z\n'])
})

test('a command that ends badly is named with its line, its code and all that it printed', async () => {
  const page = `# X\n\n${sh('echo before\n# a remark\nls nothing-\\\nhere\necho behind')}`
  expect(await failure(page)).toMatch(
    /^Error: docs\/x\.md:6: ls nothing-\\\nhere\nended with code 2\. It printed:\nbefore\nls: .*'nothing-here'.*\n*$/,
  )
  expect(await failure(`<!-- test:\ntrue\nfalse\n-->\n`)).toMatch(/^Error: docs\/x\.md:3: false\nended with code 1/)
  expect(await failure(`\n<!-- test: exit 3 -->\n`)).toMatch(
    /^Error: docs\/x\.md:2: exit 3\nended with code 3\. .*\n\(nothing\)$/,
  )
})

test('what must fail does, or the page is wrong', async () => {
  await run(sh('echo no >&2; false', ' fails') + text('no'))
  expect(await failure(sh('echo fine', ' fails'))).toBe(
    'Error: docs/x.md:2: echo fine\nshould have failed, and ended with code 0. It printed:\nfine',
  )
})

test('what is printed is found in both streams, in that order, with … for anything', async () => {
  const command = sh('echo "  one two (4.5 s)"; echo "two+" >&2; seq 3')
  await run(command + text('one … (… s)\n…\ntwo+\n3'))
  const said = await failure(command + text('3\n1'))
  expect(said).toContain('did not print "1" (below line 4), in that order. It printed:\n  one two (4.5 s)\ntwo+\n1\n2\n3')
  expect(await failure(command + text('two …x'))).toContain('did not print "two …x"')
  await run(sh('echo "Release 20261129-103444 in 2.3 s, 12 s"') + text('Release 20270102-030405 in 10 s, 1.5 s'))
  expect(await failure(command + text('twoo'))).toContain('did not print "twoo"')
})

test('addresses are those of a machine where nobody has changed them', async () => {
  const subnet = { page: '10.77.0.', here: '10.99.5.' }
  await run(`${sh('echo 10.77.0.7 >a; cat a')}${text('10.77.0.7')}\`\`\`text b.txt\n10.77.0.8\n\`\`\`\n`, { subnet })
  expect([await file('a'), await file('b.txt')]).toEqual(['10.99.5.7\n', '10.99.5.8\n'])
})

test('Ctrl-C comes once all is printed, and reaches what was started', async () => {
  const page = sh(`bash -c 'trap "echo bye >gone; exit 130" INT; echo ready; while :; do sleep 0.1; done'`, ' interrupted')
  await run(page + text('ready'))
  expect(await file('gone')).toBe('bye\n')
  expect(await failure(sh('echo early', ' interrupted') + text('late'))).toContain('did not print "late"')
})

test('nothing is waited for that runs in the background, and nothing of it stays', async () => {
  await run(sh('sleep 1000 & echo $! >pid'))
  const state = () =>
    readFile(`/proc/${pid}/stat`, 'utf8').then(
      (stat) => /\) Z/.test(stat),
      () => true,
    )
  const pid = (await file('pid')).trim()
  await expect.poll(state).toBe(true)
})

test('what does not end is killed and named', async () => {
  expect(await failure(sh('echo begun\nsleep 1000'), { seconds: 1 })).toBe(
    'Error: docs/x.md:2: echo begun\ndid not end within 1 s. It printed:\nbegun',
  )
  const waits = sh('sleep 1000', ' interrupted') + text('ready')
  expect(await failure(waits, { seconds: 1 })).toContain('did not end within 1 s and did not print "ready" (below line 4)')
})

test('changes are applied, and those that do not fit are told', async () => {
  await ensurePackages(['patch'])
  const patch = '```diff\n--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-one\n+two\n```\n'
  expect(await failure(sh('echo one >a.txt') + patch + patch)).toMatch(/docs\/x\.md:11: these changes do not fit:\n.*a\.txt/)
  expect(await file('a.txt')).toBe('two\n')
})

test('what runs elsewhere names tasks that there are, and YAML is YAML', async () => {
  const kraft = sh(
    'mkdir -p bin\nprintf "#!/bin/sh\\n[ \\$2 = deploy ]\\n" >bin/kraft\nchmod +x bin/kraft\nexport PATH=$PWD/bin:$PATH',
  )
  await run(`${kraft}${sh('npx kraft deploy:live   # kraft is fine', ' elsewhere')}`)
  expect(await failure(`${kraft}${sh('cd x && kraft delpoy:live', ' elsewhere')}`)).toContain(
    'docs/x.md:7: kraft delpoy is no task',
  )
  expect(await failure(`${kraft}\`\`\`yaml ci.yml\njobs:\n  - run: kraft depoly\n\`\`\`\n`)).toContain('kraft depoly is no task')
  expect(await failure('```yaml ci.yml\na: [\n```\n')).toMatch(/docs\/x\.md:1: ci\.yml is no YAML: .* at line 2/)
})
