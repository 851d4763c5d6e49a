import type { Step } from '../engine/step/step.js'
import { apt } from './apt.js'
import { firewall, firewallPackages } from './firewall.js'
import { locale } from './locale.js'
import { nginxPackages, nginxSetup } from './nginx.js'
import { postgresPackages, postgresSetup } from './postgres.js'
import { pythonPackages } from './python.js'
import { redisPackages, stockRedisOff } from './redis.js'
import { confirmSteps } from './revert.js'
import { runitPackages, runitSetup } from './runit.js'
import { sshd } from './sshd.js'
import { swap } from './swap.js'
import { time } from './time.js'
import { unattendedUpgradesPackages, unattendedUpgradesSetup } from './unattended-upgrades.js'
import { uv } from './uv.js'
import { web } from './web.js'

/** What {@link bootstrap} is given. */
export interface BootstrapOptions {
  /** The port of sshd as the node sees it: the fourth word of SSH_CONNECTION. */
  readonly sshPort: number
  /** Services whose programs the node gets; those that need none there (files) may be among them. */
  readonly services?: readonly string[]
  /** More Debian packages. */
  readonly packages?: readonly string[]
  /** Megabytes of swap where the node has none, 1024 if left out; false: none. */
  readonly swap?: number | false
  /** More TCP ports that the firewall lets in. */
  readonly ports?: readonly number[]
  /** Seconds after which the firewall and sshd go back to what they were unless a new login confirms them; 60 if left out. */
  readonly revertAfter?: number
}

/** Steps that belong together: one script, one round trip. */
export interface BootstrapPhase {
  readonly title: string
  readonly steps: readonly Step[]
  /** To be run over a connection that was opened after `steps` were done. If it can't be opened, `steps` revert themselves. */
  readonly confirm?: readonly Step[]
}

// curl asks a new release whether it is healthy; ss of iproute2 tells when the old one is drained; zstd packs dumps; logrotate keeps the logs of nginx and PostgreSQL small, which only recommend it.
const basicPackages = ['ca-certificates', 'curl', 'iproute2', 'zstd', 'logrotate'] as const

interface Software {
  readonly packages: readonly string[]
  /** What must be so before the packages come. */
  readonly before?: () => readonly Step[]
  readonly setup?: () => readonly Step[]
}

const services: Readonly<Record<string, Software>> = {
  postgres: { packages: postgresPackages, setup: postgresSetup },
  redis: { packages: redisPackages, before: stockRedisOff },
}

/**
 * All that makes a fresh Debian or Ubuntu a node: phases in their order. Run again, they change nothing.
 *
 * @throws KraftError where a port or size is none.
 * @example bootstrap({ sshPort: 22, services: ['postgres', 'redis', 'files'] })
 */
export function bootstrap(options: BootstrapOptions): readonly BootstrapPhase[] {
  const wanted = (options.services ?? Object.keys(services)).flatMap((name) => services[name] ?? [])
  const seconds = options.revertAfter === undefined ? {} : { seconds: options.revertAfter }
  return [
    {
      title: 'System',
      steps: [...locale(), ...time(), ...(options.swap === false ? [] : swap(options.swap))],
    },
    {
      title: 'Packages',
      // All at once: each run of apt costs seconds.
      steps: [
        ...wanted.flatMap(({ before }) => before?.() ?? []),
        ...apt(
          ...new Set([
            ...basicPackages,
            ...runitPackages,
            ...nginxPackages,
            ...Object.keys(pythonPackages),
            ...wanted.flatMap(({ packages }) => packages),
            ...unattendedUpgradesPackages,
            ...firewallPackages,
            ...(options.packages ?? []),
          ]),
        ),
      ],
    },
    {
      title: 'Web server, supervisor, services',
      steps: [
        ...web(),
        ...runitSetup(),
        ...nginxSetup(),
        ...wanted.flatMap(({ setup }) => setup?.() ?? []),
        ...unattendedUpgradesSetup(),
        ...uv(),
      ],
    },
    {
      title: 'Firewall and logins',
      steps: [
        ...firewall({ sshPort: options.sshPort, ...(options.ports === undefined ? {} : { ports: options.ports }), ...seconds }),
        ...sshd(seconds),
      ],
      confirm: confirmSteps(),
    },
  ]
}
