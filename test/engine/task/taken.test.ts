import { expect, it } from 'vitest'
import { takenBy } from '../../../engine/task/taken.js'

interface Given {
  readonly a: number
  readonly b: { readonly c: number }
  readonly $: string
  readonly d?: readonly number[]
}
const names = ['a', 'b', 'c', '$', 'd', 'other']
const taken = (body: (...given: never[]) => unknown) => names.filter(takenBy(body))

it.each<[string, (...given: never[]) => unknown, readonly string[]]>([
  ['an arrow function', ({ a, $ }: Given) => [a, $], ['a', '$']],
  ['an async one', async ({ a }: Given) => a, ['a']],
  [
    'a method',
    {
      run({ b: { c } }: Given) {
        return c
      },
    }.run,
    ['b'],
  ],
  [
    'an async method',
    {
      async run({ $: shell }: Given) {
        return shell
      },
    }.run,
    ['$'],
  ],
  [
    'a function',
    function named({ d = [1, 2], a }: Given) {
      return [d, a]
    },
    ['a', 'd'],
  ],
  ['a function without parameters', () => 1, []],
  ['one with two', ({ a }: Given, _more: number) => a, ['a']],
])('%s takes what it names', (_what, body, expected) => {
  expect(taken(body)).toEqual(expected)
})

it.each<[string, (...given: never[]) => unknown]>([
  ['the whole argument', (given: Given) => given.a],
  ['the rest', ({ a, ...rest }: Given) => [a, rest]],
  ['a name that is computed', ({ [names[0] as 'a']: b }: Given) => b],
  [
    'arguments',
    function () {
      // biome-ignore lint/complexity/noArguments: what this is about
      return arguments
    },
  ],
  ['a list', (...all: Given[]) => all],
  ['code that is not there', Math.max],
  ['a bound function', (({ a }: Given) => a).bind(undefined)],
])('whoever takes %s may take all', (_what, body) => {
  expect(taken(body)).toEqual(names)
})
