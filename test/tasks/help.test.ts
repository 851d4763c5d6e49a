import { spawnSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkCall } from '../../engine/cli/check-call.js'
import { listTasks, printHelp } from '../../engine/cli/help.js'
import { parseArguments, parseWord } from '../../engine/cli/parse.js'
import { printList } from '../../engine/cli/print-list.js'
import { createRegistry, findTask } from '../../engine/cli/registry.js'
import * as tasks from '../../tasks/index.js'

const registry = createRegistry(tasks)
const entries = [...registry.tasks.values()]
const examples = entries.flatMap(({ name, task }) => (task.spec.examples ?? []).map((example) => [name, example] as const))

let folder: string
let bin: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kraft-examples-'))
  bin = await mkdtemp(join(tmpdir(), 'kraft-bin-'))
  // It writes down what it was called with, a file for each call.
  await writeFile(join(bin, 'kraft'), `#!/bin/sh\nprintf '%s\\0' "$@" >"${bin}/call.$$"\n`, { mode: 0o755 })
})
afterAll(() => Promise.all([folder, bin].map((path) => rm(path, { recursive: true }))))

/** How a real shell calls kraft for what is pasted; no other program is found. */
async function callsOf(example: string): Promise<readonly (readonly string[])[]> {
  // The shell opens what stands behind < before it calls anything.
  for (const [, file] of example.matchAll(/< (\S+)/g)) await writeFile(join(folder, file ?? ''), '')
  const { error } = spawnSync('/bin/sh', ['-c', example], { cwd: folder, env: { PATH: bin } })
  if (error !== undefined) throw error
  const files = (await readdir(bin)).filter((name) => name.startsWith('call.'))
  const texts = await Promise.all(files.map((file) => readFile(join(bin, file), 'utf8')))
  await Promise.all(files.map((file) => rm(join(bin, file))))
  return texts.map((text) => text.split('\0').slice(0, -1))
}

/** Takes a call as far as it goes without a project. Throws what a person would be told. */
function check([first = '', ...args]: readonly string[]): string {
  const word = parseWord(first)
  const entry = findTask(registry, word.task)
  const { spec } = entry.task
  checkCall(entry, word, parseArguments(word.task, spec.options ?? {}, spec.takesRest === true, args))
  if (spec.destructive === true && word.targets.length === 0) throw new Error(`${first} never guesses its target`)
  return word.task
}

describe('the help of each built-in task', () => {
  it.each(entries)('says what $name changes on the node, and shows it with an example', (entry) => {
    const { changes, examples } = entry.task.spec
    expect(changes).toMatch(/^[^\n]+[^\n.]$/)
    expect(examples).not.toHaveLength(0)
    expect(printHelp(entry)).toContain(`\nWhat it changes on the node\n  ${changes}\n`)
  })

  it.each(entries)('fits 80 columns and 50, but for what is pasted: $name', (entry) => {
    for (const columns of [80, 50]) {
      const [text = ''] = printHelp(entry, columns).split('\nExamples\n')
      expect(text.split('\n').filter((line) => line.length > columns)).toEqual([])
    }
  })

  it.each(examples)('has for %s an example that is taken when pasted: %s', async (name, example) => {
    const calls = await callsOf(example)
    expect(calls.map(check)).toContain(name)
  })
})

it('the list of tasks is whole at 80 columns, the first things first', () => {
  const list = printList(listTasks(registry), 80)
  expect(list).not.toContain('…')
  expect(list.split('\n').filter((line) => line.length > 80)).toEqual([])
  expect(list.match(/^[A-Z][\w ]+$/gm)).toEqual(['Start', 'Deploy', 'Day by day', 'Data', 'Operate', 'Nodes', 'More'])
})

it('what other tools call a task means one task, and is the name of none', () => {
  const words = entries.flatMap(({ task }) => task.spec.meantBy ?? [])
  expect(words.filter((word, at) => words.indexOf(word) !== at || registry.tasks.has(word))).toEqual([])
  expect(['new', 'migrate', 'ssh', 'push'].map((word) => words.includes(word))).toEqual([true, true, true, true])
})

it('the usage says where a target and a command may stand', () => {
  const usage = (name: string) => printHelp(findTask(registry, name)).split('\n')[0]
  expect(['deploy', 'up', 'provision', 'dev', 'bootstrap', 'env'].map(usage)).toEqual([
    'kraft deploy:TARGET [--options]',
    'kraft up[:TARGET] [--options]',
    'kraft provision NAME [--options]',
    'kraft dev[:TARGET] [--options] [-- COMMAND]',
    'kraft bootstrap:NODE [--options]',
    'kraft env:TARGET [VERB] [NAMES…] [--options]',
  ])
  expect(printHelp(findTask(registry, 'provision'))).toContain('(default: of ~/.kraftwerk.yaml, else local; one of ')
  expect(printHelp(findTask(registry, 'open'))).not.toContain('default: )')
})

it.each([
  ['kraft deploy:stage --rv v1.2', 'deploy has no option --rv'],
  ['kraft deploy:stage v1.2', 'deploy does not know what to do with "v1.2"'],
  ['kraft maintenance:live onn', 'VERB is one of on, off; got "onn"'],
  ['kraft forward:stage', 'forward needs SERVICE'],
  ['kraft status:live -- ls', 'status takes no command behind --'],
  ['kraft schema:stage', 'schema takes nothing behind a colon'],
  ['kraft terminate', 'terminate never guesses its target'],
  ['kraft delpoy:stage', 'There is no task "delpoy"'],
])('an example that would be refused is found: %s', async (example, said) => {
  const [call = []] = await callsOf(example)
  expect(() => check(call)).toThrow(said)
})
