import * as v from 'valibot'
import type { Section } from '../../../engine/config/section.js'
import { KraftError } from '../../../engine/errors/failure.js'
import { isSecret, reveal } from '../../../engine/shell/secret.js'
import { isCidr } from '../cloud/cidr.js'
import { addressService, mine } from '../cloud/own-address.js'

const text = v.pipe(v.string(), v.nonEmpty())
const whole = (from: number, to: number) => v.pipe(v.number(), v.integer(), v.minValue(from), v.maxValue(to))

const entries = {
  user: v.optional(text),
  secret: v.optional(text),
  location_id: v.optional(text),
  image_id: v.optional(
    v.pipe(
      text,
      v.regex(
        /^(ami-[0-9a-f]+|debian-1[23]|ubuntu-2[24]\.04)$/,
        'An image is debian-12, debian-13, ubuntu-22.04 or ubuntu-24.04, or looks like ami-0123456789abcdef0',
      ),
    ),
    'debian-12',
  ),
  size_id: v.optional(text, 't3.small'),
  securitygroup: v.optional(text),
  keyname: v.optional(text),
  subnet: v.optional(v.pipe(text, v.regex(/^subnet-[0-9a-f]+$/, 'A subnet looks like subnet-0123456789abcdef0'))),
  vpc: v.optional(v.pipe(text, v.regex(/^vpc-[0-9a-f]+$/, 'A VPC looks like vpc-0123456789abcdef0'))),
  elastic_ip: v.optional(v.boolean('true or false'), false),
  spot: v.optional(v.boolean('true or false'), false),
  // As text, too: that is how it comes from the command line and from a variable.
  spot_price: v.optional(
    v.union(
      [v.pipe(v.number(), v.gtValue(0)), v.pipe(text, v.regex(/^\d+(\.\d+)?$/))],
      'A price is a number, in dollars an hour: 0.0125',
    ),
  ),
  login: v.optional(v.pipe(text, v.regex(/^[a-z_][a-z0-9_-]*$/, 'A login is made of small letters, digits, - and _'))),
  disk: v.optional(whole(1, 16_384), 20),
  port: v.optional(whole(1, 65_535), 22),
  endpoint: v.optional(v.pipe(text, v.url())),
  // No default here: what is unset can be asked for, and says nothing of a node that is there.
  allow_ssh: v.optional(
    v.pipe(
      text,
      v.check(
        (value) => value === mine || isCidr(value),
        `It is ${mine}, or a range of addresses: 203.0.113.0/24 or 2001:db8::/32`,
      ),
    ),
  ),
  address_service: v.optional(addressService),
}

const schema = v.object(entries)

/** The settings of the ec2 provider with their defaults. */
export type Settings = v.InferOutput<typeof schema>

/** The provider's section of `~/.kraftwerk.yaml`, with the names that it has always had. */
export const section: Section = {
  user: {
    schema: entries.user,
    doc: "Access key id; without it AWS's own: AWS_PROFILE, AWS_ACCESS_KEY_ID, ~/.aws…",
    example: 'AKIA…',
    variables: ['AWS_ACCESS_KEY_ID', 'AWS_PROFILE'],
  },
  secret: {
    schema: entries.secret,
    doc: 'Secret access key that belongs to user',
    secret: true,
    variables: ['AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE'],
  },
  location_id: {
    schema: entries.location_id,
    doc: "Region; without it AWS_REGION or the profile's",
    example: 'eu-central-1',
    variables: ['AWS_REGION', 'AWS_DEFAULT_REGION'],
  },
  image_id: {
    schema: entries.image_id,
    doc: 'The newest image of debian-12, debian-13, ubuntu-22.04 or ubuntu-24.04, or one by its id: `kraft images` lists them',
    example: 'ubuntu-24.04',
  },
  size_id: { schema: entries.size_id, doc: 'Type of the instance', example: 't3.small' },
  securitygroup: {
    schema: entries.securitygroup,
    doc: 'Name or id of a security group; without it each node gets its own (ssh, 80, 443)',
    example: 'web',
  },
  keyname: {
    schema: entries.keyname,
    doc: 'Key pair in EC2; without it your public key is imported for the node',
    example: 'me',
  },
  subnet: {
    schema: entries.subnet,
    doc: 'Subnet; without it one of vpc, else of the default network',
    example: 'subnet-0123456789abcdef0',
  },
  vpc: {
    schema: entries.vpc,
    doc: 'VPC, where subnet is not set: the roomiest of its subnets',
    example: 'vpc-0123456789abcdef0',
  },
  elastic_ip: {
    schema: entries.elastic_ip,
    doc: 'Whether the node gets an Elastic IP: an address that it keeps when it is stopped',
    example: true,
  },
  spot: {
    schema: entries.spot,
    doc: 'Whether it is a spot instance: cheap, and AWS may take it back within two minutes',
    example: true,
  },
  spot_price: {
    schema: entries.spot_price,
    doc: 'The most that an hour of a spot instance may cost, in dollars; without it the usual price',
    example: 0.0125,
  },
  login: { schema: entries.login, doc: 'User who logs in, with sudo; without it admin, of Ubuntu ubuntu', example: 'admin' },
  disk: { schema: entries.disk, doc: 'Size of the encrypted disk in GB', example: 20 },
  port: { schema: entries.port, doc: 'Port that sshd listens on', example: 22 },
  endpoint: { schema: entries.endpoint, doc: 'URL of an EC2-compatible cloud', example: 'https://ec2.example.com' },
  allow_ssh: {
    schema: entries.allow_ssh,
    doc: `Who may reach ssh: a range as CIDR, or ${mine}: the address that you come from; without it everybody (0.0.0.0/0)`,
    example: mine,
  },
  address_service: {
    schema: entries.address_service,
    doc: `Who says which address is ${mine}; without it https://checkip.amazonaws.com`,
    example: 'https://ipv4.icanhazip.com',
  },
}

/**
 * Gives the merged settings their types. Throws a KraftError (`usage`) naming the setting that is wrong.
 *
 * @example settingsOf({ location_id: 'eu-central-1' }).size_id // 't3.small'
 */
export function settingsOf(given: Readonly<Record<string, unknown>>): Settings {
  const plain = Object.fromEntries(Object.entries(given).map(([key, value]) => [key, isSecret(value) ? reveal(value) : value]))
  const result = v.safeParse(schema, plain)
  if (!result.success) {
    const [issue] = result.issues
    const key = v.getDotPath(issue) ?? ''
    const example = section[key]?.example
    throw new KraftError({
      kind: 'usage',
      message: `Setting ${key} of the provider ec2: ${issue.message}`,
      next: `Correct it in ~/.kraftwerk.yaml${example === undefined ? '' : `, e.g. ${key}: ${example}`}.`,
    })
  }
  const settings = result.output
  if ((settings.user === undefined) !== (settings.secret === undefined)) {
    const missing = settings.user === undefined ? 'user' : 'secret'
    throw new KraftError({
      kind: 'usage',
      message: `The provider ec2 has only half of its credentials: ${missing} is missing`,
      next: "Set user (access key id) and secret (secret access key) in ~/.kraftwerk.yaml, or neither to use AWS's own credentials.",
    })
  }
  return settings
}
