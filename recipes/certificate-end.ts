import { type Sh, sh } from '../engine/shell/sh.js'
import { layout } from '../project/layout.js'
import type { Place } from '../project/service.js'

/** Until when the certificate lasts that a site is served with; `none`: HTTPS is wanted, and HTTP serves until there is one. */
export type CertificateEnd = Date | 'none'

/** Prints it for {@link parseCertificateEnd}; nothing where a site has no HTTPS. */
export function readCertificateEnd(place: Place): Sh {
  const folder = layout.https(place)
  return sh`
    if [ -e ${`${folder}/on.conf`} ]; then
      file=$(sed -n 's/^ssl_certificate \(.*\);$/\1/p' ${`${folder}/on.conf`})
      printf 'certificate %s\n' "$(date -d "$(openssl x509 -noout -enddate -in "$file" | cut -d = -f 2)" +%s)"
    elif [ -e ${`${folder}/names`} ]; then
      echo 'certificate none'
    fi
  `
}

/** Reads what {@link readCertificateEnd} printed. */
export function parseCertificateEnd(text: string): CertificateEnd | undefined {
  const [, word] = /^certificate (\S+)$/m.exec(text) ?? []
  if (word === undefined || word === 'none') return word
  return new Date(Number(word) * 1000)
}

/** Days of 24 hours, rounded down. */
export function daysUntil(end: Date, now = new Date()): number {
  return Math.floor((end.getTime() - now.getTime()) / 86_400_000)
}

/** In words, with what to do where nobody has renewed it in time. */
export function describeCertificateEnd(end: CertificateEnd, place: Place, now = new Date()): string {
  if (end === 'none') return `no certificate yet (why: journalctl -u kraft-https@${place.name})`
  const days = daysUntil(end, now)
  const lasts = days < 0 ? 'certificate has EXPIRED' : `certificate for ${days} more day${days === 1 ? '' : 's'}`
  // It is renewed a month before.
  return days < 20 ? `${lasts}, and was not renewed` : lasts
}
