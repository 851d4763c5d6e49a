import { createHash } from 'node:crypto'
import { quote, sh } from '../engine/shell/sh.js'
import type { Handler, Step } from '../engine/step/step.js'
import { render } from '../engine/template/render.js'
import type { AcmeServer, Https, OwnCertificate } from '../project/https.js'
import { layout } from '../project/layout.js'
import type { Place } from '../project/service.js'
import { directory, file } from './file.js'
import { httpsScript, nginxFile, nginxUser, reloadNginx } from './nginx.js'
import { running } from './systemd.js'
import { template } from './template.js'

/** What a node is like, as far as TLS depends on it. */
export interface TlsNode {
  readonly name: string
  readonly codename: string
  readonly ipv6: boolean
}

/** The Debian packages that a site needs for its certificate: dehydrated asks ACME servers. */
export function httpsPackages(given: Https | undefined): readonly string[] {
  return given?.from.kind === 'acme' ? ['dehydrated'] : []
}

/**
 * All that a site needs to be served over HTTPS, short of a certificate by ACME, for which HTTP comes first ({@link certificate}).
 * Without HTTPS, nothing of it stays.
 */
export function https(place: Place, given: Https | undefined, node: TlsNode): readonly Step[] {
  if (given === undefined) return removeHttps(place)
  const { from, names } = given
  const folder = layout.https(place)
  const kept = from.kind === 'acme' ? `${acmeFolder(place, from)}/certs/site` : folder
  const [certificate, key] = from.kind === 'acme' ? ['fullchain.pem', 'privkey.pem'] : ['certificate.pem', 'key.pem']
  return [
    ...directory({ path: folder, mode: '0700' }),
    ...everySite(node),
    ...file({ path: `${folder}/names`, content: `${names.join(' ')}\n` }),
    ...template('https/server.conf', {
      to: `${folder}/server.conf`,
      vars: {
        place,
        domain: names[0],
        certificate: `${kept}/${certificate}`,
        key: `${kept}/${key}`,
        ipv6: node.ipv6,
        http2: !['jammy', 'bookworm', 'noble'].includes(node.codename),
      },
    }),
    ...(from.kind === 'acme' ? acme(place, from, node) : [...noTimer(place), ...own(place, from)]),
  ]
}

// What serves all sites of the node, whoever of them came first.
function everySite({ codename, ipv6 }: TlsNode): readonly Step[] {
  const settings = '/etc/nginx/conf.d/02-kraft-https.conf'
  const unit = 'kraft-https-guard.service'
  // nginx 1.18 can't turn away a name that it has no certificate for.
  const rejects = codename !== 'jammy'
  return [
    ...nginxFile({ path: settings, content: render('https/settings.conf', { ipv6, rejects }) }),
    ...template('https/https.sh', { to: httpsScript, mode: '0700', vars: { sites: '/etc/kraftwerk', settings } }),
    ...template('https/guard.service', {
      to: `/etc/systemd/system/${unit}`,
      vars: { script: httpsScript },
      notify: [reloadUnits],
    }),
    {
      title: 'nginx starts without certificates that are gone',
      check: sh`systemctl is-enabled --quiet ${unit}`,
      apply: sh`systemctl enable --quiet ${unit}`,
    },
  ]
}

const reloadUnits: Handler = { name: 'reload-units', apply: sh`systemctl daemon-reload` }

function own(place: Place, { certificate, key }: OwnCertificate): readonly Step[] {
  const folder = layout.https(place)
  const notify = [reloadNginx]
  return [
    ...file({ path: `${folder}/certificate.pem`, content: certificate, mode: '0600', notify }),
    ...file({ path: `${folder}/key.pem`, content: key, notify }),
    {
      title: `HTTPS with a certificate of one's own`,
      check: sh`cmp -s ${folder}/server.conf ${folder}/on.conf`,
      apply: sh`${httpsScript} on ${place.name}`,
    },
  ]
}

function acme(place: Place, server: AcmeServer, { name }: TlsNode): readonly Step[] {
  const folder = layout.https(place)
  const base = acmeFolder(place, server)
  const vars = { place, layout, base, quote, directory: server.directory, email: server.email, ca: server.ca !== undefined }
  const timer = timerOf(place)
  const [at, later] = timesOf(`${place.name} ${name}`)
  return [
    ...directory({ path: layout.challenge(place), group: nginxUser, mode: '0750' }),
    ...directory({ path: base, mode: '0700' }),
    ...(server.ca === undefined ? [] : file({ path: `${folder}/ca.pem`, content: server.ca })),
    ...template('https/acme.conf', { to: `${folder}/acme.conf`, vars }),
    ...template('https/renew.service', {
      to: '/etc/systemd/system/kraft-https@.service',
      vars: { script: httpsScript },
      notify: [reloadUnits],
    }),
    ...template('https/renew.timer', { to: `/etc/systemd/system/${timer}`, vars: { place, at, later }, notify: [reloadUnits] }),
    ...running(timer),
  ]
}

/**
 * The certificate of a site that ACME gives, to be asked for once the site answers over HTTP. A domain that does not lead here yet fails
 * nothing: it is said, and the node goes on trying.
 */
export function certificate(place: Place, given: Https | undefined): readonly Step[] {
  if (given?.from.kind !== 'acme') return []
  return [
    {
      title: `Certificate for ${given.names.join(', ')}`,
      loud: true,
      check: sh`test -x ${httpsScript} && ${httpsScript} check ${place.name}`,
      apply: sh`
        # Its tries begin anew, soon after this one.
        systemctl restart ${timerOf(place)}
        ${httpsScript} renew ${place.name} || :
      `,
      diff: sh`printf 'ask %s for a certificate\n' ${given.from.directory}`,
    },
  ]
}

/** Nothing of HTTPS for a site: certificates, account, timer. */
export function removeHttps(place: Place): readonly Step[] {
  const [folder, challenge] = [layout.https(place), layout.challenge(place)]
  return [
    ...noTimer(place),
    {
      title: `No HTTPS for ${place.name}`,
      check: sh`test ! -e ${folder} && test ! -e ${challenge}`,
      apply: sh`rm -rf ${folder} ${challenge}`,
      notify: [reloadNginx],
    },
  ]
}

function noTimer(place: Place): readonly Step[] {
  const timer = timerOf(place)
  return [
    {
      title: `No timer for a certificate of ${place.name}`,
      check: sh`test ! -e ${`/etc/systemd/system/${timer}`}`,
      apply: sh`
        systemctl disable --quiet --now ${timer}
        systemctl stop ${`kraft-https@${place.name}.service`}
        rm -f ${`/etc/systemd/system/${timer}`}
        systemctl daemon-reload
      `,
    },
  ]
}

/** Shell that succeeds where a site has TLS. */
export function servesHttps(place: Place) {
  return sh`test -e ${`${layout.https(place)}/on.conf`}`
}

// Another server gives another certificate: until it has, the former one stays.
function acmeFolder(place: Place, { directory }: AcmeServer): string {
  return `${layout.https(place)}/acme-${new URL(directory).hostname.replace(/[^\w.-]/g, '')}`
}

function timerOf({ name }: Place): string {
  return `kraft-https@${name}.timer`
}

// Two times of a day, twelve hours apart, that stay the same for a site on a node.
function timesOf(site: string): readonly [string, string] {
  const second = createHash('sha256').update(site).digest().readUInt32BE() % 43_200
  const clock = (seconds: number) => new Date(seconds * 1000).toISOString().slice(11, 19)
  return [clock(second), clock(second + 43_200)]
}
