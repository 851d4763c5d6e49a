import { readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Missing } from '../../../engine/node/provider.js'
import type { Settings } from './settings.js'

// Who may ask it may have a role's credentials, which the SDK finds by itself.
function isInstance(file: string): boolean {
  try {
    return readFileSync(file, 'utf8').trim() === 'Amazon EC2'
  } catch {
    return false
  }
}

/**
 * What nobody has told EC2's client yet. Files of AWS's own tools count as an answer, if anything is in them: the SDK reads them, and
 * says what they lack. So does an instance of EC2, which may have a role.
 */
export function missingOf(
  { user, location_id, allow_ssh, securitygroup }: Settings,
  environ: NodeJS.ProcessEnv,
  vendorFile = '/sys/class/dmi/id/sys_vendor',
): readonly Missing[] {
  const set = (...names: readonly string[]) => names.some((name) => (environ[name] ?? '') !== '')
  const there = (variable: string, name: string) =>
    (statSync(environ[variable] || join(homedir(), '.aws', name), { throwIfNoEntry: false })?.size ?? 0) > 0
  const configured = there('AWS_CONFIG_FILE', 'config')
  const known =
    user !== undefined ||
    configured ||
    there('AWS_SHARED_CREDENTIALS_FILE', 'credentials') ||
    set('AWS_PROFILE', 'AWS_ACCESS_KEY_ID', 'AWS_WEB_IDENTITY_TOKEN_FILE', 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI') ||
    set('AWS_CONTAINER_CREDENTIALS_FULL_URI') ||
    (environ.AWS_EC2_METADATA_DISABLED !== 'true' && isInstance(vendorFile))
  // Who may reach ssh is asked for once. Where nobody is asked, teammates and CI may: their addresses are others than this machine's.
  const isSaid = allow_ssh !== undefined || securitygroup !== undefined
  const placed = location_id !== undefined || configured || set('AWS_REGION', 'AWS_DEFAULT_REGION', 'AWS_PROFILE')
  return [
    ...(known
      ? []
      : [
          { key: 'user', variables: ['AWS_ACCESS_KEY_ID', 'AWS_PROFILE'] },
          { key: 'secret', variables: ['AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE'] },
        ]),
    ...(placed ? [] : [{ key: 'location_id', variables: ['AWS_REGION'] }]),
    ...(isSaid ? [] : [{ key: 'allow_ssh', variables: [], toMake: true as const, otherwise: '0.0.0.0/0' }]),
  ]
}
