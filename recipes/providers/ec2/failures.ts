import { isKraftError, KraftError } from '../../../engine/errors/failure.js'
import type { Settings } from './settings.js'

/** What the messages name. */
export interface Circumstances {
  readonly node: string | undefined
  readonly settings: Settings
  readonly region?: string | undefined
}

interface Meaning {
  readonly codes: RegExp
  /** `usage` where a setting has to change, `task` where the world has to. */
  readonly kind: 'usage' | 'task'
  readonly says: (about: Circumstances, detail: string) => string
  readonly next: string | ((about: Circumstances) => string)
}

const credentials =
  'Set user and secret in ~/.kraftwerk.yaml, or set up AWS itself: AWS_PROFILE, `aws configure`, `aws sso login`.'

const meanings: readonly Meaning[] = [
  {
    codes: /^(ExpiredToken|ExpiredTokenException|TokenRefreshRequired)$/,
    kind: 'usage',
    says: (_, detail) => `Your AWS credentials have expired: ${detail}`,
    next: 'Renew them: `aws sso login`, or new values for user and secret in ~/.kraftwerk.yaml.',
  },
  {
    // What EC2 says of temporary credentials that have expired; of a wrong clock it says it as well.
    codes: /^RequestExpired$/,
    kind: 'usage',
    says: (_, detail) => `Your session at AWS has expired, or the clock of this machine is wrong: ${detail}`,
    next: 'Renew the session: `aws sso login`, or new values for AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN. Is the time right (timedatectl)?',
  },
  {
    codes: /^(CredentialsProviderError|TokenProviderError|MissingAuthenticationToken)$/,
    kind: 'usage',
    says: (_, detail) => `No AWS credentials were found: ${detail}${chosenProfile()}`,
    next: credentials,
  },
  {
    codes: /^(AuthFailure|InvalidClientTokenId|SignatureDoesNotMatch|InvalidAccessKeyId|UnrecognizedClientException)$/,
    kind: 'usage',
    says: ({ settings, region }, detail) =>
      `AWS refused the ${settings.user === undefined ? 'credentials' : `access key ${settings.user}`} in ${region ?? 'that region'}: ${detail}`,
    next: `${credentials} A region that is not enabled for the account refuses them, too.`,
  },
  {
    codes: /^RequestTimeTooSkewed$/,
    kind: 'task',
    says: (_, detail) => `AWS refused the time of this machine: ${detail}`,
    next: 'Set its clock (timedatectl), then try again.',
  },
  {
    codes: /^(UnauthorizedOperation|AccessDenied|AccessDeniedException|AuthFailure\.ServiceLinked.*)$/,
    kind: 'task',
    says: (_, detail) => `Your AWS account may not do this: ${withoutBlob(detail)}`,
    next: 'Ask whoever manages the account for the rights to run instances and to make key pairs and security groups.',
  },
  {
    codes: /^(Blocked|OptInRequired|PendingVerification)$/,
    kind: 'task',
    says: (_, detail) => `AWS does not let your account do this yet: ${detail}`,
    next: 'Do what it says there, or ask the support of AWS; then the same command again.',
  },
  {
    codes: /^OperationNotPermitted$/,
    kind: 'task',
    says: (_, detail) => `AWS keeps the instance: ${detail}`,
    next: ({ node = 'NODE' }) =>
      `Take its protection away (aws ec2 modify-instance-attribute --no-disable-api-termination --instance-id …), then: kraft terminate:${node}`,
  },
  {
    codes: /^(RegionMissing|InvalidRegion)$/,
    kind: 'usage',
    says: ({ settings }) =>
      settings.location_id === undefined ? 'No AWS region is set' : `${settings.location_id} is not the name of an AWS region`,
    next: 'Set location_id in ~/.kraftwerk.yaml, or AWS_REGION; e.g. eu-central-1.',
  },
  {
    codes: /^InvalidAMIID\./,
    kind: 'usage',
    says: ({ settings, region }) => `There is no image ${settings.image_id} in ${region ?? 'that region'}`,
    next: 'Images differ from region to region: correct image_id, or leave it out for the newest Debian 12.',
  },
  {
    codes:
      /^(RequestLimitExceeded|Throttling|ThrottlingException|RequestThrottled|EC2ThrottledException|TooManyRequestsException)$/,
    kind: 'task',
    says: (_, detail) => `AWS was asked too often, and wants more patience than kraft has: ${detail}`,
    next: 'Try again in a few minutes; what was asked too often is shared by all who use the account.',
  },
  {
    codes: /^SpotMaxPriceTooLow$/,
    kind: 'usage',
    says: ({ settings }, detail) =>
      `No spot instance ${settings.size_id} costs as little as spot_price ${settings.spot_price ?? ''}: ${detail}`,
    next: 'Raise spot_price, leave it out, or do without spot.',
  },
  {
    codes: /^(InvalidInstanceType|InvalidInstanceType\..*)$/,
    kind: 'usage',
    says: ({ settings, region }) => `EC2 has no size ${settings.size_id} in ${region ?? 'that region'}`,
    next: 'Set size_id to a type of instance that the region offers, e.g. t3.small.',
  },
  {
    codes: /^(.*LimitExceeded|MaxSpotInstanceCountExceeded|InsufficientFreeAddressesInSubnet)$/,
    kind: 'task',
    says: ({ region }, detail) => `Your AWS account has reached a limit in ${region ?? 'that region'}: ${detail}`,
    next: 'Terminate what you do not need, choose a smaller size_id, or ask AWS for more (Service Quotas).',
  },
  {
    codes: /^(InsufficientInstanceCapacity|InsufficientHostCapacity|Unsupported(Operation)?)$/,
    kind: 'task',
    says: ({ settings }, detail) => `AWS cannot start ${settings.size_id} there now: ${detail}`,
    next: ({ settings: { subnet, vpc, spot } }) =>
      `Try another size_id or location_id, ${subnet === undefined && vpc === undefined ? '' : 'a subnet in another zone, '}or again later${spot ? ', or without spot' : ''}.`,
  },
  {
    codes: /^InvalidParameterCombination$/,
    kind: 'usage',
    says: ({ settings }, detail) => `AWS starts no ${settings.size_id} with these settings: ${detail}`,
    next: 'Set size_id to another type: `kraft sizes --provider ec2` lists them.',
  },
  {
    codes: /^Gateway\.NotAttached$/,
    kind: 'task',
    says: (_, detail) => `The network has no way to the internet: ${detail}`,
    next: 'Attach an internet gateway to its VPC, with a route to it, or set subnet to one that has both.',
  },
  {
    codes: /^InvalidKey\.Format$/,
    kind: 'usage',
    says: (_, detail) => `EC2 does not take your public key: ${detail}`,
    next: 'Set pubkey in ~/.kraftwerk.yaml to another one; ssh-keygen -t ed25519 makes one that it takes.',
  },
  {
    codes: /^(InvalidGroup|InvalidKeyPair)\.NotFound$/,
    kind: 'task',
    says: (_, detail) => `What was made for the node is gone: ${detail}`,
    next: ({ node = 'NODE' }) =>
      `Does another run of kraft make it at the same time? Once that has ended: kraft provision ${node}`,
  },
  {
    codes: /^(InternalError|InternalFailure|Unavailable|ServiceUnavailable)$/,
    kind: 'task',
    says: (_, detail) => `EC2 has a fault: ${detail}`,
    next: 'Try again in a few minutes; https://health.aws.amazon.com says more.',
  },
  {
    codes: /^(VPCIdNotSpecified|DefaultVpcDoesNotExist|MissingInput)$/,
    kind: 'task',
    says: ({ region }) => `Your AWS account has no default network (VPC) in ${region ?? 'that region'}`,
    next: 'Make one (aws ec2 create-default-vpc), or set subnet or vpc to one of yours: aws ec2 describe-subnets',
  },
]

// The SDK says nothing of a profile that is not there.
function chosenProfile(): string {
  const { AWS_PROFILE: name = '' } = process.env
  return name === '' ? '' : ` (AWS_PROFILE names the profile ${name})`
}

/** The code of an error of AWS or of the network, e.g. `InvalidAMIID.NotFound` or `ECONNREFUSED`; empty for other errors. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return ''
  if (error.message.startsWith('Region is missing')) return 'RegionMissing'
  if (error.message.startsWith('Region not accepted')) return 'InvalidRegion'
  if (/(Credentials|Token)ProviderError$/.test(error.name))
    return /expired|cannot refresh/i.test(error.message) ? 'ExpiredToken' : error.name
  // The SDK puts $metadata on errors of the network, too, which go by their own code.
  if ('code' in error && typeof error.code === 'string') return error.code
  return '$metadata' in error || error.name === 'TimeoutError' ? error.name : ''
}

const network = /^(E[A-Z]+(_[A-Z]+)*|TimeoutError|UND_ERR_.*|CERT_.*|DEPTH_.*|SELF_SIGNED.*|UNABLE_TO_.*)$/

/** What an error of the AWS SDK means for a person, as a KraftError; bugs stay what they are. */
export function explain(error: unknown, about: Circumstances): unknown {
  if (isKraftError(error) || !(error instanceof Error)) return error
  const code = codeOf(error)
  const detail = error.message.trim()
  const meaning = meanings.find(({ codes }) => codes.test(code))
  if (meaning !== undefined) {
    const message = meaning.says(about, detail)
    const next = typeof meaning.next === 'string' ? meaning.next : meaning.next(about)
    return new KraftError({ kind: meaning.kind, message, next }, withoutRequest(error))
  }
  if (!network.test(code)) {
    if (!('$metadata' in error)) return error
    const next = `What ${code} means: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html`
    return new KraftError({ kind: 'task', message: `EC2 refused: ${detail} (${code})`, next }, withoutRequest(error))
  }
  const place = about.settings.endpoint ?? `EC2 in ${about.region ?? 'that region'}`
  return new KraftError(
    {
      kind: 'task',
      message: `${place} did not answer: ${detail === '' ? code : detail}`,
      next: 'Check the network, and the spelling of location_id (the region) and endpoint.',
    },
    withoutRequest(error),
  )
}

// It is a thousand letters long, and `aws sts decode-authorization-message` needs rights of its own.
function withoutBlob(detail: string): string {
  return detail.replace(/\s*Encoded authorization failure message: \S+$/, '')
}

// The SDK's errors carry the whole exchange with AWS, and a cause may be printed.
function withoutRequest(error: Error): Error {
  const bare = new Error(error.message)
  bare.name = error.name
  if (error.stack !== undefined) bare.stack = error.stack
  return bare
}
