import { isIP, isIPv6 } from 'node:net'

/** Whether a text is a range of addresses: `203.0.113.0/24`, `2001:db8::/32`. */
export function isCidr(value: string): boolean {
  const [address = '', bits = '', ...rest] = value.split('/')
  const version = isIP(address)
  return version !== 0 && rest.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128)
}

/** Whether it is a range of IPv6. */
export function isSix(range: string): boolean {
  return isIPv6(range.split('/')[0] ?? '')
}

/** Ranges apart by the kind of their addresses. */
export function byKind(ranges: readonly string[]): { readonly four: readonly string[]; readonly six: readonly string[] } {
  return { four: ranges.filter((range) => !isSix(range)), six: ranges.filter(isSix) }
}

/** Everywhere. */
export const everywhere = ['0.0.0.0/0', '::/0']
