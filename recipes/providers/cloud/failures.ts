import { isKraftError, KraftError } from '../../../engine/errors/failure.js'
import { ApiError } from './api.js'

/** What errors of one kind mean for a person. */
export interface Meaning {
  readonly status?: number
  /** Found in the code or the message. */
  readonly says?: RegExp
  /** `usage` where a setting has to change, `task` where the world has to. */
  readonly kind: 'usage' | 'task'
  readonly message: (detail: string) => string
  readonly next: string
}

/** What the messages name. */
export interface Vendor {
  /** As people call it: "Hetzner Cloud". */
  readonly title: string
  /** What it knows us by: "API token". */
  readonly credential: string
  /** Where the credential is set, and where a new one comes from. */
  readonly renew: string
  /** Whom to ask for more. */
  readonly quota: string
  /** What the vendor says of a limit that is reached. */
  readonly limit: RegExp
  /** More that is particular about it; comes first. */
  readonly meanings?: readonly Meaning[]
}

function common({ title, credential, renew, quota, limit }: Vendor): readonly Meaning[] {
  return [
    {
      says: limit,
      kind: 'task',
      message: (detail) => `Your account at ${title} has reached a limit: ${detail}`,
      next: `Terminate what you do not need, choose a smaller size_id, or ask for more: ${quota}.`,
    },
    { status: 401, kind: 'usage', message: (detail) => `${title} refused your ${credential}: ${detail}`, next: renew },
    {
      status: 403,
      kind: 'task',
      message: (detail) => `Your ${credential} may not do this at ${title}: ${detail}`,
      next: 'It has to be allowed to read and to write.',
    },
    {
      status: 429,
      kind: 'task',
      message: (detail) => `${title} was asked too often, and wants more patience than kraft has: ${detail}`,
      next: 'Try again in a few minutes.',
    },
    {
      status: 0,
      kind: 'task',
      message: (detail) => detail,
      next: 'Check the network, and the spelling of endpoint where it is set.',
    },
  ]
}

/** What an error of an API means for a person, as a KraftError; bugs stay what they are. */
export function explain(error: unknown, vendor: Vendor): unknown {
  if (isKraftError(error) || !(error instanceof ApiError)) return error
  const { status, code, message } = error
  const said = `${code} ${message}`
  const meaning = [...(vendor.meanings ?? []), ...common(vendor)].find(
    (each) => (each.status === undefined || each.status === status) && (each.says?.test(said) ?? true),
  )
  if (meaning !== undefined) {
    return new KraftError({ kind: meaning.kind, message: meaning.message(message), next: meaning.next }, error)
  }
  const label = code === '' ? `status ${status}` : code
  return new KraftError({ kind: 'task', message: `${vendor.title} refused: ${message} (${label})`, next: nextOf(error) }, error)
}

// What nobody has foreseen here says at least whose turn it is.
function nextOf({ status, code }: ApiError): string {
  if (code === 'unexpected') return 'That is not the API that kraft knows: is endpoint right? If it is, please report it.'
  if (status >= 500) return 'That is a fault of theirs: the same command again in a few minutes goes on from here.'
  return 'Correct the setting that it means (kraft config shows those that count), then the same command again.'
}

/** Whether an error says that there is nothing (any more). */
export function isGone(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 404 || error.status === 410)
}

/** Whether an error says that something is still in use. */
export function isBusy(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false
  return [409, 412, 423].includes(error.status) || /in.?use|locked|\bbusy\b/i.test(`${error.code} ${error.message}`)
}
