import { isIPv6 } from 'node:net'
import { secret } from '../engine/shell/secret.js'
import { lines, type Sh, sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { layout } from '../project/layout.js'
import type { Place } from '../project/service.js'

/** A file of root's with the password that other nodes come with, made where it is not there. */
export function makePassword(place: Place, service: string): Sh {
  const path = layout.password(place, service)
  return sh`
    umask 077
    if [ ! -s ${path} ]; then
      head -c 48 /dev/urandom | base64 -w 0 | tr -d '+/=' | cut -c 1-48 >${`${path}.new`}
      mv -f ${`${path}.new`} ${path}
    fi
  `
}

const kindOf = (address: string) => (isIPv6(address) || /^[\d.]+$/.test(address) ? 'IP' : 'DNS')

/** Succeeds if a server's certificate is for the address by which the other nodes know it. */
export function isCertificateOf(address: string, file: Sh): Sh {
  return sh`openssl x509 -in ${file} -noout ${kindOf(address) === 'IP' ? '-checkip' : '-checkhost'} ${address} | grep -q ' does match '`
}

/** Makes the certificate by which a server proves who it is; the other nodes get it, and it ends with the node. */
export function makeCertificate(address: string, { key, file, owner }: { key: Sh; file: Sh; owner: string }): Sh {
  return sh`
    umask 077
    rm -f ${key} ${file}
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 36500 -subj ${`/CN=${address}`} \
      -addext ${`subjectAltName=${kindOf(address)}:${address}`} -keyout ${key} -out ${file} 2>/dev/null
    chown ${owner}:${owner} ${key} ${file}
  `
}

/** Whom a server lets in, as a file of root's: `let` says how it learns that. */
export function letIn(
  place: Place,
  service: string,
  addresses: readonly string[],
  step: Pick<Step, 'apply'> & Partial<Step>,
): Step {
  const path = layout.clients(place, service)
  return {
    title: `${place.name} may come from ${addresses.join(', ')}`,
    ...step,
    files: { ...step.files, clients: addresses.map((each) => `${each}\n`).join('') },
    check: lines(step.check, sh`cmp -s "$KRAFT_STEP/clients" ${path}`),
    apply: lines(step.apply, sh`cat "$KRAFT_STEP/clients" >${path}`),
  }
}

/** Prints the password and the certificate for {@link readAccess}; nothing where there is none yet. */
export function printAccess(place: Place, service: string, certificate: Sh): Sh {
  const path = layout.password(place, service)
  return sh`
    if [ ! -s ${path} ]; then exit 0; fi
    printf 'password %s\n' "$(cat ${path})"
    cat ${certificate}
  `
}

/** Reads it: an address with the password in the place of {}, and who proves that server. */
export function readAccess(printed: string, name: string, address: string, url: string) {
  const [, password, authority] = /^password (\S+)\n([\s\S]+)$/.exec(printed) ?? []
  if (password === undefined || authority === undefined) return undefined
  const host = isIPv6(address) ? `[${address}]` : address
  return { url: secret(url.replace('PASSWORD', password).replace('HOST', host), name), authority }
}
