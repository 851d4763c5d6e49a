import { Sh, sh } from '../../engine/shell/sh.js'
import { layout } from '../../project/layout.js'
import { hostOf } from '../application.js'
import {
  certificateNeeds,
  daysUntil,
  describeCertificateEnd,
  parseCertificateEnd,
  readCertificateEnd,
} from '../certificate-end.js'
import { serves } from '../followers.js'
import { type Attention, pairs, type StatusPart } from './part.js'

/** The site as nginx on the node serves it, and its certificate. */
export const site: StatusPart = {
  name: 'site',
  look({ instance, node }) {
    const { health } = instance.settings
    const host = hostOf(instance, node.record)
    const ask = sh`
      scheme=http
      if [ -e ${`${layout.https(instance)}/on.conf`} ]; then scheme=https; fi
      printf 'asked %s\n' "$(curl --silent --insecure --output /dev/null --max-time ${health.timeout} --write-out '%{http_code} %{time_total}' \
        --connect-to ::127.0.0.1: "$scheme://"${host}${health.path} || :)"
      if [ -e ${layout.stopped(instance)} ]; then echo 'closed stopped'
      elif [ -e ${layout.closed(instance)}/maintenance ]; then echo 'closed maintenance'; fi
    `
    return new Sh(`${serves(node) ? `${ask.text}\n` : ''}${readCertificateEnd(instance).text}`)
  },
  read(printed, { instance, word, deployed }) {
    const { health } = instance.settings
    const facts = pairs(printed)
    const certificate = parseCertificateEnd(printed)
    const attention: Attention[] = []
    if (certificate !== undefined && certificateNeeds(certificate)) {
      const what = describeCertificateEnd(certificate, instance).replace(/ \(.*/, '')
      const next = certificate.own
        ? `New files in kraftwerk.yaml (https:), then kraft deploy:${word}`
        : `Why: journalctl -u kraft-https@${instance.name} on the node`
      attention.push({ what, next })
    }
    const [code = 0, seconds = 0] = (facts.asked ?? '').split(' ').map(Number)
    const closed = facts.closed ?? null
    const asked = deployed && facts.asked !== undefined
    const good =
      health.status.length > 0 ? health.status.includes(code) : (code >= 200 && code < 400) || [401, 403, 404].includes(code)
    if (asked && !good && closed === null) {
      attention.push({
        what:
          code === 0
            ? `The site does not answer within ${health.timeout} s`
            : `The site answers ${health.path} with code ${code}`,
        next: `Its log: kraft logs:${word} web nginx`,
      })
    }
    const milliseconds = Math.round(seconds * 1000)
    const shut = closed === null ? [] : [closed === 'stopped' ? 'is stopped' : 'is closed for maintenance']
    return {
      rows: asked ? [['site', [...shut, code === 0 ? 'NO ANSWER' : `${code} in ${milliseconds} ms`].join(', ')]] : [],
      data: {
        code: asked ? code : null,
        milliseconds: asked ? milliseconds : null,
        closed,
        ...(certificate?.until === undefined ? {} : { certificate_days: daysUntil(certificate.until) }),
      },
      attention,
    }
  },
}
