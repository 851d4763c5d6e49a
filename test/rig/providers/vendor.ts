import type { Fault, Given, VendorServer } from './vendor-server.js'

/** One provider's server with what the tests that all providers share must know of it. */
export interface Vendor {
  readonly name: string
  readonly server: VendorServer
  /** Of the provider, but for login, port and allow_ssh. */
  readonly settings: Readonly<Record<string, unknown>>
  /** Its secret, which must never be seen. */
  readonly secret: string
  readonly machines: Map<string, Record<string, unknown>>
  /** Firewalls, keys… */
  readonly extras: Map<string, Record<string, unknown>>
  /** Words of an account that outlive what bears them; left out where there are none. */
  readonly tags?: Set<string>
  /** The call that makes a machine. */
  readonly launch: readonly [method: string, path: RegExp]
  readonly destroy: readonly [method: string, path: RegExp]
  readonly list: readonly [method: string, path: RegExp]
  /** Answers that the vendor gives. */
  readonly says: {
    readonly tooOften: Given
    readonly limit: Fault
    readonly forbidden: Fault
    readonly busy: Fault
  }
  /** An image, a size and a region that are there, with a misspelt one of each. */
  readonly known: { readonly image: string; readonly size: string; readonly region: string }
  readonly misspelt: { readonly image: string; readonly size: string; readonly region: string }
  /** A machine that is switched off. */
  readonly off: Readonly<Record<string, unknown>>
  /** A machine without kraft's marks. */
  readonly unmarked: Readonly<Record<string, unknown>>
  reset(): void
}
