import type { NodeRecord } from '../engine/node/record.js'
import type { Step } from '../engine/step/step.js'
import type { Https } from '../project/https.js'
import { type Application, hostsOf } from './application.js'
import { apt } from './apt.js'
import { cronDaemon } from './cron.js'
import { undoAtBoot, undoInterrupted } from './exchange.js'
import { httpsPackages } from './https.js'
import { instance as instanceSteps, logRotation, packageLink } from './instance.js'
import { leftServices } from './left-services.js'
import type { Site } from './site.js'

/** What an instance has on a node beside its releases: packages, user, folders, scripts, services. */
export function setUp({ instance, services, package: name }: Application, https: Https | undefined): readonly Step[] {
  const { settings } = instance
  return [
    ...apt(...settings.apt, ...httpsPackages(https)),
    ...cronDaemon(settings.cron),
    ...instanceSteps(instance),
    ...undoInterrupted(instance),
    ...(services.some(({ service }) => service.data !== undefined) ? undoAtBoot(instance) : []),
    ...services.flatMap(({ service, settings: own }) => [...service.install(), ...service.setup(instance, own)]),
    ...leftServices(
      instance,
      services.map(({ service, where }) => (where === undefined ? service.name : `${service.name}@${where}`)),
    ),
    ...logRotation(instance, {
      stamped: ['web', 'cron.*', ...Object.keys(settings.processes).flatMap((name) => [name, `${name}.[0-9]*`])],
      open: ['nginx.access', 'nginx.error', 'kraft', ...settings.services.map(({ name }) => name)],
    }),
    ...packageLink(instance, name, settings.src),
  ]
}

/** What of it a release of changed code alone needs: the rest is there since the last deploy. */
export function setUpAgain({ instance }: Application): readonly Step[] {
  return [...instanceSteps(instance), ...undoInterrupted(instance)]
}

/** How nginx serves an application on a node. */
export function siteOf(
  { instance, package: name }: Application,
  record: NodeRecord,
  given: Pick<Site, 'ipv6' | 'https' | 'balancers'>,
): Site {
  const { settings } = instance
  return {
    domain: settings.domain,
    hosts: hostsOf(instance, record),
    aliases: settings.aliases,
    package: name,
    uploads: settings.services.some((service) => service.name === 'files'),
    maxBody: settings.max_body,
    timeout: settings.timeout,
    src: settings.src,
    staticUrl: settings.static_url,
    cdn: settings.cdn,
    cache: settings.cache,
    protect: settings.protect,
    ...given,
  }
}
