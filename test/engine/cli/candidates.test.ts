import { expect, it } from 'vitest'
import { candidates } from '../../../engine/cli/completion/candidates.js'
import { describeTasks } from '../../../engine/cli/completion/describe.js'
import { createRegistry } from '../../../engine/cli/registry.js'
import { option } from '../../../engine/task/option.js'
import { task } from '../../../engine/task/task.js'

it('an argument that is a target is completed as what stands behind the colon, without that', async () => {
  const promote = task({
    on: 'once',
    options: {
      to: option({ type: 'string', positional: true, target: true }),
      like: option({ type: 'string', target: true }),
    },
    run: () => undefined,
  })
  const known = { tasks: describeTasks(createRegistry({ promote })), globals: [] }
  const targets = ['stage', 'live', 'one'].map((word) => ({ word, help: `about ${word}`, kind: 'environment' as const }))
  const offered = async (...words: string[]) => (await candidates(words, known, async () => targets)).words
  expect(await offered('promote:stage', '')).toEqual([
    { word: 'live', help: 'about live' },
    { word: 'one', help: 'about one' },
  ])
  expect((await offered('promote:stage', 'l')).map(({ word }) => word)).toEqual(['live'])
  expect((await offered('promote:stage', '--like=o')).map(({ word }) => word)).toEqual(['--like=one'])
  expect(await offered('promote:stage', 'live', '')).toEqual([])
})

it('a verb decides which options are offered', async () => {
  const env = task({
    on: 'once',
    needs: 'nothing',
    options: {
      verb: option({ type: 'string', positional: true, choices: ['list', 'set'] }),
      show: option({ type: 'boolean', verbs: ['list'] }),
      reload: option({ type: 'boolean', verbs: ['set'] }),
    },
    run: () => undefined,
  })
  const known = { tasks: describeTasks(createRegistry({ env })), globals: [] }
  const offered = async (...words: string[]) => (await candidates(words, known, async () => [])).words.map(({ word }) => word)
  expect(await offered('env', '')).toEqual(['list', 'set'])
  expect(await offered('env', '--')).toEqual(['--show', '--reload'])
  expect(await offered('env', 'set', '--')).toEqual(['--reload'])
})
