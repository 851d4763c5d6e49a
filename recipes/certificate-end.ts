import { type Sh, sh } from '../engine/shell/sh.js'
import { layout } from '../project/layout.js'
import type { Place } from '../project/service.js'

/** Until when the certificate lasts that a site is served with. */
export interface CertificateEnd {
  /** Undefined: HTTPS is wanted, and HTTP serves until there is one. */
  readonly until: Date | undefined
  /** The project's own files, which nobody renews. */
  readonly own: boolean
}

/** Prints it for {@link parseCertificateEnd}; nothing where a site has no HTTPS. */
export function readCertificateEnd(place: Place): Sh {
  const folder = layout.https(place)
  return sh`
    for settings in ${`${folder}/on.conf`} ${`${folder}/server.conf`}; do
      if [ ! -e "$settings" ]; then continue; fi
      file=$(sed -n 's/^ssl_certificate \(.*\);$/\1/p' "$settings")
      kind=acme until=
      if [ "$file" = ${`${folder}/certificate.pem`} ]; then kind=own; fi
      case $settings in */on.conf) until=$(openssl x509 -noout -enddate -in "$file" 2>/dev/null | cut -d = -f 2) ;; esac
      printf 'certificate %s %s\n' "$kind" "\${until:+$(date -d "$until" +%s)}"
      break
    done
  `
}

/** Reads what {@link readCertificateEnd} printed. */
export function parseCertificateEnd(text: string): CertificateEnd | undefined {
  const [found, kind, seconds] = /^certificate (own|acme) (\d*)$/m.exec(text) ?? []
  if (found === undefined) return undefined
  return { until: seconds ? new Date(Number(seconds) * 1000) : undefined, own: kind === 'own' }
}

/** Days of 24 hours, rounded down. */
export function daysUntil(end: Date, now = new Date()): number {
  return Math.floor((end.getTime() - now.getTime()) / 86_400_000)
}

/** Whether nobody renews it in time. */
export function certificateNeeds({ until, own }: CertificateEnd, now = new Date()): boolean {
  // It is renewed a month before.
  return until === undefined || daysUntil(until, now) < (own ? 30 : 20)
}

/** In words, with what to do where nobody has renewed it in time. */
export function describeCertificateEnd({ until, own }: CertificateEnd, place: Place, now = new Date()): string {
  if (until === undefined) {
    return own
      ? 'no certificate that nginx can use (the next deploy puts your own there again)'
      : `no certificate yet (why: journalctl -u kraft-https@${place.name})`
  }
  const days = daysUntil(until, now)
  const lasts = days < 0 ? 'certificate has EXPIRED' : `certificate for ${days} more day${days === 1 ? '' : 's'}`
  if (!certificateNeeds({ until, own }, now)) return lasts
  return own
    ? `${lasts} (nothing renews your own but a deploy with new files)`
    : `${lasts}, and was not renewed (why: journalctl -u kraft-https@${place.name})`
}
