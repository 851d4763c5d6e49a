import type { EC2Client } from '@aws-sdk/client-ec2'
import { codeOf } from './failures.js'
import type { Settings } from './settings.js'

type Sdk = typeof import('@aws-sdk/client-ec2')

/** One region of EC2, ready to be asked. */
export interface Cloud {
  /** The AWS SDK, loaded. */
  readonly sdk: Sdk
  readonly client: EC2Client
  readonly region: string
}

/**
 * Loads the AWS SDK (half a second, so only when EC2 is really used) and connects it to the region of the settings, or to
 * `region` where a node was made; to `otherwise` where nobody names any. Throws the SDK's own errors; `explain` makes them readable.
 */
export async function openCloud(settings: Settings, region?: string, otherwise?: string): Promise<Cloud> {
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true'
  const sdk = await import('@aws-sdk/client-ec2')
  // The SDK for JavaScript does not read AWS_DEFAULT_REGION, every other AWS tool does.
  const wanted = region ?? settings.location_id ?? (process.env.AWS_REGION || process.env.AWS_DEFAULT_REGION || undefined)
  const { user, secret, endpoint } = settings
  const client = new sdk.EC2Client({
    ...(wanted === undefined ? {} : { region: wanted }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(user === undefined || secret === undefined ? {} : { credentials: { accessKeyId: user, secretAccessKey: secret } }),
    // EC2 limits how often an account may ask, all of its people together; the SDK waits longer each time.
    maxAttempts: 5,
    requestHandler: { connectionTimeout: 10_000, requestTimeout: 60_000 },
  })
  try {
    return { sdk, client, region: await client.config.region() }
  } catch (error) {
    client.destroy()
    // A profile of AWS may name one, so the SDK is asked first.
    if (otherwise !== undefined && codeOf(error) === 'RegionMissing') return openCloud(settings, otherwise)
    throw error
  }
}
