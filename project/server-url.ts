import { decoded } from '../engine/shell/secretive.js'

/** Authorities that Debian knows. */
export const authorities = '/etc/ssl/certs/ca-certificates.crt'

/** What the query of an address says. Not as a form's: a plus is a plus. */
export function queryOf(url: URL): Readonly<Record<string, string>> {
  const pairs = url.search
    .slice(1)
    .split('&')
    .map((pair) => pair.split('='))
  return Object.fromEntries(pairs.map(([name = '', ...value]) => [decoded(name), decoded(value.join('='))]))
}

/** Says more in the query of an address, as it stands. */
export function addQuery(url: URL, ...added: readonly string[]): void {
  url.search = [url.search.slice(1), ...added].filter((part) => part !== '').join('&')
}

/** The host of an address, as programs take it. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1')
}

/** Whether a host is the node itself, whose servers need not prove who they are. */
export function isNear(host: string): boolean {
  return host.startsWith('/') || /^(localhost|127\.\d+\.\d+\.\d+|::1)$/.test(host)
}
