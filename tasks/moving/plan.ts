import { size } from '../../engine/report/progress-text.js'
import { dnsAdvice } from './domains.js'
import { ownData } from './own-data.js'
import type { Way } from './way.js'

/** What a move does when, for people who ask before. Reads, and changes nothing. */
export async function planOf(way: Way, release: string | undefined): Promise<string> {
  const { from, to, instance, word, pause } = way
  if (release === undefined) {
    return `${instance.name} has moved to ${to.name} already; what is left is to begin its processes there, and kraftwerk.yaml`
  }
  const services = await ownData(instance)
  const sizes = await Promise.all(
    services.map(async ({ service, data }) => {
      const bytes = Number((await from.read(data.size?.(instance).text ?? 'echo 0')).trim())
      return bytes > 0 ? `${service.name} (${size(bytes)} at most)` : service.name
    }),
  )
  const all = [...sizes, 'shared/', 'home/'].join(', ')
  const steps = [
    `${to.name} is bootstrapped, gets what ${from.name} keeps of ${instance.name} (variables, secret key, certificates) and release ${release}, without processes, cron and backups`,
    `first sync of ${all}; ${from.name} serves meanwhile`,
    `requests to ${from.name} wait, ${pause} s at most, and nothing writes any more: web, processes and cron of ${instance.name} end there`,
    `last sync, with counts and sums compared; ${to.name} starts with these data and answers its health check`,
    `switch: ${from.name} passes all requests on to ${to.name}, those that wait first. Until here whatever fails, also kraft, leaves ${from.name} serving`,
    `processes, cron and backups begin on ${to.name}; kraftwerk.yaml names it`,
  ]
  return [
    `Would move ${instance.name} from ${from.name} to ${to.name}:`,
    ...steps.map((step, index) => `${index + 1}. ${step}`),
    ...(await dnsAdvice(instance, from.record.address, to.address)),
    `${from.name} keeps its data. Back, later: kraft move:${word} --to ${from.name}`,
  ].join('\n')
}
