import { isKraftError, KraftError, summary } from '../engine/errors/failure.js'
import { refuseNodeName, remember } from '../engine/node/inventory.js'
import type { Provider } from '../engine/node/provider.js'
import type { NodeRecord } from '../engine/node/record.js'
import { loginKey } from '../engine/ssh/keys.js'
import { option } from '../engine/task/option.js'
import { Result } from '../engine/task/result.js'
import { task } from '../engine/task/task.js'
import { kindNames } from '../recipes/kinds.js'
import { askMissing } from './ask-missing.js'
import { chosenProvider } from './chosen-provider.js'
import { offerHosts } from './offer-hosts.js'
import { orUndone } from './or-undone.js'
import { offerSshNames, updateSshNames } from './ssh-names.js'

/** Makes a node and remembers it. */
export const provision = task({
  on: 'once',
  connection: 'new',
  needs: 'nothing',
  group: 'Nodes',
  help: 'make a node: a real local one, or one at a provider',
  changes: 'the node comes to be; one that is there is only started',
  examples: [
    'kraft provision one',
    'kraft provision one --image trixie',
    'kraft provision one --set user=admin',
    'kraft provision live1 --provider ec2 --set size_id=t3.medium',
  ],
  options: {
    name: option({ type: 'string', positional: true, required: true, help: 'what to call the node' }),
    provider: option({
      type: 'string',
      choicesFrom: () => kindNames('providers'),
      help: 'what makes it (default: of ~/.kraftwerk.yaml, else local)',
    }),
    image: option({ type: 'string', help: 'what is on its disk at first, as in: kraft images' }),
    set: option({ type: 'string', many: true, help: 'a setting of the provider, KEY=VALUE' }),
  },
  async run({ options, session, line }) {
    const { name } = options
    refuseNodeName(name)
    const { provider, settings: given } = await chosenProvider(session, options)
    const known = (await session.inventory()).get(name)
    if (known !== undefined && known.provider !== provider.name) {
      throw new KraftError({
        kind: 'usage',
        message: `There is a node ${name} already, at ${known.address} (${known.provider})`,
        next: `Take another name, or remove it first: kraft terminate:${name}`,
      })
    }
    if (session.flags.dryRun) return plan(name, provider, given, known !== undefined)
    const settings = await askMissing(session, provider, given, known === undefined ? 'make' : 'find')
    const { publicKey } = await loginKey(session.user.pubkey === undefined ? {} : { pubkey: session.user.pubkey })
    const record = await orUndone(session, (signal) =>
      provider.create({
        name,
        ...(known === undefined ? {} : { known }),
        publicKey,
        settings,
        progress: (text) => line.output(text),
        signal,
        async login(first, work) {
          const node = session.connect(first, 'every')
          try {
            return await work({ apply: (title, steps) => node.apply(title, steps, line) })
          } finally {
            await session.disconnect(name)
          }
        },
      }),
    )
    await remember(record, session.project?.folder, provider).catch((error: unknown) => {
      throw unremembered(record, error)
    })
    await updateSshNames(session)
    const said = [...(await offerHosts(session, name, record.address)), ...(await offerSshNames(session, name))]
    return new Result(
      [`${name} is at ${record.address} (${record.user}@, ${provider.name})`, ...said].join('\n'),
      record,
      `kraft bootstrap:${name}`,
    )
  },
})

// It is there, and costs: whoever reads this must know.
function unremembered({ name, address }: NodeRecord, error: unknown): KraftError {
  const why = isKraftError(error) ? summary(error.failure) : String(error)
  return new KraftError(
    {
      kind: 'task',
      message: `${name} runs at ${address}, and could not be remembered: ${why}`,
      next: `Correct that, then: kraft provision ${name}, which finds it again`,
    },
    error,
  )
}

// A provider's secrets are settings as well.
function plan(name: string, { name: provider, section }: Provider, settings: Readonly<Record<string, unknown>>, known: boolean) {
  const open = Object.entries(settings).filter(([key, value]) => section[key]?.secret !== true && value !== undefined)
  const rows = open.map(([key, value]) => `  ${key}: ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`)
  const what = known ? `${name} is there already; would see that it runs` : `Would make the node ${name}`
  return new Result([`${what} (provider ${provider})`, ...rows].join('\n'), {
    name,
    provider,
    settings: Object.fromEntries(open),
  })
}
