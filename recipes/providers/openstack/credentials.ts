import * as v from 'valibot'
import type { Section } from '../../../engine/config/section.js'
import type { Values } from '../../../engine/config/validate.js'
import type { Missing } from '../../../engine/node/provider.js'
import { fromVariables, missingKeys, text } from '../cloud/settings.js'

/** What OpenStack is told beside what every cloud is told. The variables are those of an openrc file. */
export const credentials = {
  auth_url: {
    schema: v.optional(v.pipe(text, v.url('a URL'))),
    doc: 'URL of Keystone v3; without it OS_AUTH_URL',
    example: 'https://identity.example.com/v3',
    variables: ['OS_AUTH_URL'],
  },
  user: { schema: v.optional(text), doc: 'User; without it OS_USERNAME', example: 'me', variables: ['OS_USERNAME'] },
  secret: {
    schema: v.optional(text),
    doc: 'Password of the user; without it OS_PASSWORD',
    secret: true,
    variables: ['OS_PASSWORD', 'OS_APPLICATION_CREDENTIAL_SECRET'],
  },
  project: {
    schema: v.optional(text),
    doc: 'Project, by name or id; without it OS_PROJECT_NAME or OS_PROJECT_ID',
    example: 'shop',
    variables: ['OS_PROJECT_NAME', 'OS_PROJECT_ID'],
  },
  domain: { schema: v.optional(text), doc: 'Domain of user and project; without it OS_USER_DOMAIN_NAME, else Default' },
  application_credential: {
    schema: v.optional(text),
    doc: 'Id of an application credential, instead of user and project; secret is its secret. Without it OS_APPLICATION_CREDENTIAL_ID',
  },
  network: {
    schema: v.optional(text),
    doc: 'Network of the server, by name or id; needed where the project has several',
    example: 'private',
  },
  floating_network: {
    schema: v.optional(text),
    doc: 'Network that gives floating addresses, by name or id; set it where servers have no public address of their own',
    example: 'public',
  },
} satisfies Section

type Given = Values<typeof credentials> & { readonly location_id?: string | undefined }

/** Who logs in where. */
export interface Credentials {
  readonly url: string
  readonly domain: string
  readonly project: string | undefined
  readonly user: string | undefined
  readonly password: string
  readonly application: string | undefined
  readonly region: string | undefined
}

const variables = {
  auth_url: ['OS_AUTH_URL'],
  user: ['OS_USERNAME'],
  secret: ['OS_PASSWORD'],
  project: ['OS_PROJECT_NAME', 'OS_PROJECT_ID', 'OS_TENANT_NAME'],
  application_credential: ['OS_APPLICATION_CREDENTIAL_ID'],
  applicationSecret: ['OS_APPLICATION_CREDENTIAL_SECRET'],
} as const

/** What is missing to log in. */
export function missingOf(settings: Given): readonly Missing[] {
  const { auth_url, user, secret, project, applicationSecret } = variables
  if (applicationId(settings) !== undefined) return missingKeys(settings, { auth_url, secret: applicationSecret })
  return missingKeys(settings, { auth_url, user, secret, project })
}

/** The settings with what the variables say; asked only once nothing is missing. */
export function credentialsOf(settings: Given, region: string | undefined): Credentials {
  const application = applicationId(settings)
  const secrets = application === undefined ? variables.secret : variables.applicationSecret
  const url = (settings.auth_url ?? fromVariables(variables.auth_url) ?? '').replace(/\/+$/, '')
  return {
    // Openrc files name the server with the version or without.
    url: /\/v\d[\d.]*$/.test(url) ? url.replace(/\/v2[\d.]*$/, '/v3') : `${url}/v3`,
    domain: settings.domain ?? fromVariables(['OS_USER_DOMAIN_NAME', 'OS_DOMAIN_NAME']) ?? 'Default',
    project: settings.project ?? fromVariables(variables.project),
    user: settings.user ?? fromVariables(variables.user),
    password: settings.secret ?? fromVariables(secrets) ?? '',
    application,
    region: region ?? settings.location_id ?? fromVariables(['OS_REGION_NAME']),
  }
}

function applicationId(settings: Given): string | undefined {
  return (
    settings.application_credential ?? (settings.user === undefined ? fromVariables(variables.application_credential) : undefined)
  )
}
