import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { KraftError } from '../engine/errors/failure.js'
import { type Secret, secret } from '../engine/shell/secret.js'
import type { Instance } from './instance.js'
import { settingPlace } from './setting-place.js'

/** How a site is served over HTTPS. */
export interface Https {
  /** All names that the certificate is for; visitors of the others are sent to the first. */
  readonly names: readonly [string, ...string[]]
  /** Seconds for which browsers ask for nothing but HTTPS; undefined: they are told nothing. */
  readonly hsts: number | undefined
  readonly from: AcmeServer | OwnCertificate
}

/** Where a node gets its certificates by itself. */
export interface AcmeServer {
  readonly kind: 'acme'
  readonly directory: string
  readonly email: string | undefined
  /** The certificates, in PEM, that the server itself is trusted by; undefined: the node's own. */
  readonly ca: string | undefined
}

/** A certificate with its chain, in PEM, that the project brings. */
export interface OwnCertificate {
  readonly kind: 'own'
  readonly certificate: string
  readonly key: Secret
  readonly expires: Date
}

const letsEncrypt = 'https://acme-v02.api.letsencrypt.org/directory'

/**
 * What the settings of an instance say about HTTPS; undefined where it has none. Files are read and checked here, before any node
 * is reached. Throws `setting`.
 */
export function readHttps(instance: Instance): Https | undefined {
  const { settings } = instance
  const { https } = settings
  if (https === undefined || https.off) return undefined
  if (settings.domain === undefined) {
    throw wrong(
      instance,
      [],
      '"https" needs a domain: a certificate is for a name',
      'Add one, for example: domain: shop.example.com',
    )
  }
  const names: Https['names'] = [settings.domain, ...settings.aliases]
  if (https.certificate !== undefined && https.key !== undefined) {
    return { names, hsts: https.hsts, from: ownCertificate(instance, https.certificate, https.key, names) }
  }
  const ca = https.ca === undefined ? undefined : readPem(instance, 'ca', https.ca)
  if (ca !== undefined) certificates(instance, 'ca', ca)
  return { names, hsts: https.hsts, from: { kind: 'acme', directory: https.directory ?? letsEncrypt, email: https.email, ca } }
}

/** A sentence where a certificate of one's own ends within a month: nobody else looks after it. */
export function endsSoon(https: Https | undefined): readonly string[] {
  if (https?.from.kind !== 'own' || https.from.expires.getTime() > Date.now() + 30 * 86_400_000) return []
  return [`The certificate of ${https.names[0]} expires on ${day(https.from.expires)}`]
}

function ownCertificate(instance: Instance, certificatePath: string, keyPath: string, names: readonly string[]): OwnCertificate {
  const chain = readPem(instance, 'certificate', certificatePath)
  const [certificate] = certificates(instance, 'certificate', chain)
  const key = secret(readPem(instance, 'key', keyPath), 'key of the certificate')
  const refuse = (message: string, next: string) => wrong(instance, ['certificate'], message, next)
  if (!certificate.checkPrivateKey(privateKey(instance, keyPath))) {
    throw refuse(`${keyPath} is the key of another certificate than ${certificatePath}`, 'Name the two that were made together')
  }
  const missing = names.filter((name) => certificate.checkHost(name) === undefined)
  if (missing.length > 0) {
    const covered = certificate.subjectAltName?.replaceAll('DNS:', '') ?? 'no name'
    throw refuse(
      `${certificatePath} does not cover ${missing.join(', ')}, only ${covered}`,
      'Get one for the domain and all aliases',
    )
  }
  const [begins, expires] = [new Date(certificate.validFrom), new Date(certificate.validTo)]
  if (expires.getTime() <= Date.now()) throw refuse(`${certificatePath} expired on ${day(expires)}`, 'Put a new one in its place')
  if (begins.getTime() > Date.now()) {
    throw refuse(`${certificatePath} is not valid before ${day(begins)}`, 'Wait, or is the clock of this machine wrong?')
  }
  return { kind: 'own', certificate: chain, key, expires }
}

const block = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g

function certificates(instance: Instance, key: string, pem: string): [X509Certificate, ...X509Certificate[]] {
  try {
    const [first, ...others] = [...pem.matchAll(block)].map(([text]) => new X509Certificate(text))
    if (first !== undefined) return [first, ...others]
  } catch {
    // It looked like one and is none.
  }
  throw wrong(
    instance,
    [key],
    'This file holds no certificate that can be read',
    "It should be PEM, the site's own certificate first",
  )
}

function privateKey(instance: Instance, path: string) {
  const pem = readFileSync(resolve(instance.project.folder, path))
  try {
    return createPrivateKey(pem)
  } catch {
    const locked = pem.includes('ENCRYPTED')
    throw wrong(
      instance,
      ['key'],
      locked ? 'This key has a passphrase, which nginx could not ask for' : 'This file holds no private key that can be read',
      locked ? `Take it off: openssl pkey -in ${path} -out NEW` : 'It should be PEM, as in -----BEGIN PRIVATE KEY-----',
    )
  }
}

function readPem(instance: Instance, key: string, path: string): string {
  try {
    return readFileSync(resolve(instance.project.folder, path), 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    const why = code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`
    throw wrong(instance, [key], `${path} ${why}`, 'Name a file of the project, or one with an absolute path')
  }
}

function wrong(instance: Instance, key: readonly string[], message: string, next: string): KraftError {
  return new KraftError({ kind: 'setting', message, place: settingPlace(instance, ['https', ...key]), next })
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10)
}
