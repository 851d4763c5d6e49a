import { KraftError } from '../engine/errors/failure.js'
import { option } from '../engine/task/option.js'
import { task } from '../engine/task/task.js'
import { requireInstance } from '../project/instance.js'
import { listEnviron } from './env-list.js'
import { pullEnviron } from './env-pull.js'
import { setEnviron } from './env-set.js'
import { instanceNodes, readKept } from './kept-environ.js'

/** What the application finds in its environment that is not in the repository, kept on its nodes. */
export const env = task({
  on: 'once',
  connection: 'alone',
  needs: 'instance',
  group: 'Deploy',
  meantBy: ['secret', 'secrets', 'vars', 'environ'],
  help: 'list, set and unset variables that are kept on the nodes\nThose that the application needs and the repository must not have.',
  changes:
    'list and pull: nothing; set and unset: the variables kept there, and web and processes start anew with them, as reload does',
  examples: [
    'kraft env:stage',
    'kraft env:stage set API_KEY',
    'kraft env:stage set MODE=fast WORKERS=3',
    'kraft env:live set TLS_KEY=- < key.pem',
    'kraft env:stage set --from-stdin < .env',
    'kraft env:stage unset MODE --no-reload',
    'kraft env:stage list --history',
    'kraft env:stage pull .env',
  ],
  options: {
    verb: option({
      type: 'string',
      positional: true,
      choices: ['list', 'set', 'unset', 'pull'],
      default: 'list',
      help: 'what to do',
    }),
    names: option({
      type: 'string',
      positional: true,
      many: true,
      help: 'set: NAME=value, NAME=- (read from stdin) or NAME (asked for); unset: NAME; pull: the file (default: stdout)',
    }),
    show: option({ type: 'boolean', verbs: ['list'], help: 'the values too, which are hidden otherwise' }),
    history: option({ type: 'boolean', verbs: ['list'], help: 'who changed which names when' }),
    fromStdin: option({ type: 'boolean', verbs: ['set'], help: 'NAME=value lines, as in a .env file, come from stdin' }),
    reload: option({
      type: 'boolean',
      default: true,
      verbs: ['set', 'unset'],
      help: 'only store it: the next deploy or reload takes it up',
    }),
  },
  async run({ target, session, line, options, call }) {
    const instance = requireInstance(target)
    const nodes = instanceNodes(target)
    const { verb, names } = options
    if (verb === 'list' && names.length > 0) {
      throw new KraftError({
        kind: 'usage',
        message: 'env list takes no names: it lists all',
        next: 'To set one: kraft env:TARGET set NAME',
      })
    }
    if (verb === 'set' || verb === 'unset')
      return setEnviron({ instance, nodes, session, line, call, ...options, verb, word: target.word })
    const kept = await readKept(instance, nodes)
    if (verb === 'pull') return pullEnviron(instance, kept, names, session)
    return listEnviron(instance, kept, options, line, session)
  },
})
