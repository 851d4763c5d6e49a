import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkCall } from '../../engine/cli/check-call.js'
import { parseArguments, parseWord } from '../../engine/cli/parse.js'
import { createRegistry, findTask } from '../../engine/cli/registry.js'
import { dashed } from '../../engine/task/option.js'
import * as tasks from '../../tasks/index.js'
import { guides } from './guides.js'

// What a guide has run, test:docs runs. What its sentences and tables name is asked for here.
const root = join(import.meta.dirname, '../..')
const registry = createRegistry(tasks)

/** Commands of kraft between backticks, without those of the page's own kraftfile and those that leave something out. */
function named(text: string): readonly string[] {
  const own = [...text.matchAll(/^export const (\w+) = /gm)].map(([, name = '']) => dashed(name))
  const prose = text.replace(/^```[\s\S]*?^```$/gm, '')
  const found = [...prose.matchAll(/`kraft ([a-z][^`…]*)`/g)].map(([, call = '']) => call.replaceAll(/\s+/g, ' ').trim())
  // A command of another tool that takes its place in a table may be one of the page's own.
  const examples = ['build', ...own]
  return [...new Set(found)].filter((call) => !examples.includes(call.split(/[ :]/)[0] ?? '') && !/^help /.test(call))
}

const callsOf = (page: string) => named(readFileSync(join(root, page), 'utf8'))

test('there are many of them', () => expect(guides.flatMap(callsOf).length).toBeGreaterThan(60))

test.each(guides)('%s names commands that kraft takes', (page) => {
  for (const call of callsOf(page)) {
    const [word = '', ...words] = call.replace(/ <.*$/, '').split(' ')
    const asked = parseWord(word)
    const entry = findTask(registry, asked.task)
    const { options = {}, takesRest } = entry.task.spec
    // Without what it needs it is the name of the task.
    if (words.length > 0) checkCall(entry, asked, parseArguments(asked.task, options, takesRest === true, words))
  }
})
