import { KraftError } from '../engine/errors/failure.js'
import type { Target } from '../engine/task/context.js'
import { option } from '../engine/task/option.js'
import type { Instance } from '../project/instance.js'
import { type UsedService, usedServices } from '../recipes/application.js'
import { kindNames } from '../recipes/kinds.js'

/** The service that a task works on, as its first word. */
export const serviceOption = option({
  type: 'string',
  positional: true,
  required: true,
  choicesFrom: () => kindNames('services'),
  help: 'the service',
})

/**
 * A service that the project has asked for. Throws `usage` for one that it has not, naming those that have what is wanted: a
 * shell, or a door.
 */
export async function usedService<Wanted extends 'shell' | 'door'>(
  instance: Instance,
  target: Target,
  name: string,
  wanted: Wanted,
): Promise<UsedService & { readonly service: Required<Pick<UsedService['service'], Wanted>> }> {
  const services = await usedServices(instance)
  const found = services.find(({ service }) => service.name === name)
  if (found !== undefined && has(found, wanted)) return found
  const others = services.filter((each) => has(each, wanted)).map(({ service }) => service.name)
  const what = wanted === 'shell' ? 'shell of its own' : 'way in that could be forwarded'
  throw new KraftError({
    kind: 'usage',
    message: found === undefined ? `${target.word} has no service ${name}` : `The service ${name} has no ${what}`,
    next:
      others.length > 0
        ? `It has one with ${others.join(', ')}`
        : found === undefined
          ? `Ask for it in kraftwerk.yaml, then deploy:  services: [${[...services.map(({ service }) => service.name), name].join(', ')}]`
          : 'None of its services has one',
  })
}

function has<Wanted extends 'shell' | 'door'>(
  used: UsedService,
  wanted: Wanted,
): used is UsedService & { readonly service: Required<Pick<UsedService['service'], Wanted>> } {
  return used.service[wanted] !== undefined
}
