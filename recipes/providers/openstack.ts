import { KraftError } from '../../engine/errors/failure.js'
import { cloudProvider } from './cloud/provider.js'
import { machineSection } from './cloud/settings.js'
import { nova } from './openstack/cloud.js'
import { credentials, credentialsOf, missingOf } from './openstack/credentials.js'
import { logIn } from './openstack/keystone.js'

const section = {
  ...credentials,
  ...machineSection({ image: 'debian-12-genericcloud', size: 'm1.small', region: 'RegionOne', login: 'debian' }),
}

/** Servers of a cloud that runs OpenStack: Keystone v3, Nova v2.1, Glance v2, and Neutron v2 where there is one. */
export const provider = cloudProvider({
  name: 'openstack',
  doc: 'A server of an OpenStack cloud: Rackspace, OVHcloud, a private one… (not yet tried on the real thing)',
  section,
  vendor: {
    title: 'OpenStack',
    credential: 'credentials',
    renew: 'Source the openrc file of your project (OS_…), or set user, secret and project below openstack in ~/.kraftwerk.yaml.',
    quota: 'whoever runs the cloud raises quotas',
    limit: /quota (exceeded|limit)|overquota|OverLimit/i,
    meanings: [
      {
        says: /No valid host|no_valid_host/i,
        kind: 'task',
        message: (detail) => `OpenStack cannot start such a server now: ${detail}`,
        next: 'Try another size_id, or again later.',
      },
      {
        says: /Multiple possible networks|more than one network/i,
        kind: 'usage',
        message: (detail) => `The project has several networks: ${detail}`,
        next: 'Set network to the name or id of one.',
      },
    ],
  },
  missing: (settings) => missingOf(settings),
  async open(settings, { region, progress }) {
    const given = credentialsOf(settings, region)
    const session = await logIn(given, progress)
    if (given.region !== undefined && !session.regions.includes(given.region)) {
      throw new KraftError({
        kind: 'usage',
        message: `The provider openstack has no region ${given.region}. There are ${session.regions.join(', ')}`,
        next: 'Correct location_id (or OS_REGION_NAME).',
      })
    }
    return nova(session, settings)
  },
})
