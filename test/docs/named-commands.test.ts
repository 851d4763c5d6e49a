import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { dashed } from '../../engine/task/option.js'
import { guides } from './guides.js'
import { kraftTakes } from './kraft-takes.js'

// What a guide has run, test:docs runs. What its sentences and tables name is asked for here.
const root = join(import.meta.dirname, '../..')

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
  // What a shell does with it is no matter.
  for (const call of callsOf(page)) kraftTakes(call.replace(/ <.*$/, ''))
})
