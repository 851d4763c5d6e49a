import type { Node } from '../engine/node/node.js'
import type { Step } from '../engine/step/step.js'
import { readHttps } from '../project/https.js'
import { type Application, environOf } from '../recipes/application.js'
import { followers, serves } from '../recipes/followers.js'
import { startBeside } from '../recipes/gunicorn.js'
import { https as httpsSteps } from '../recipes/https.js'
import { prepareGeneration, type Release } from '../recipes/release.js'
import { setUp, siteOf } from '../recipes/set-up.js'
import { site } from '../recipes/site.js'
import { httpsOnWeb } from './rollout/balance.js'

/**
 * The steps of a deploy that write something on a node beside the code, as they would be if the release that serves were deployed
 * again: what is not true of them has drifted, or comes from changed settings or templates. Only to be asked.
 */
export async function configurationSteps(
  application: Application,
  node: Node,
  release: Release,
  balancers: readonly string[],
): Promise<readonly Step[]> {
  const { instance, wsgi } = application
  const { workers, threads, timeout, drain = timeout } = instance.settings
  const { ipv6, codename } = await node.facts()
  const https = httpsOnWeb(readHttps(instance), balancers)
  const web = () => [
    // Those that write a file: the others start something.
    ...startBeside(release, { wsgi, workers, threads, timeout, drain }).filter(({ files }) => files !== undefined),
    ...httpsSteps(instance, https, { name: node.name, codename, ipv6 }),
    ...site(instance, siteOf(application, node.record, { ipv6, https, balancers })),
  ]
  return [
    ...setUp(application, https),
    ...prepareGeneration(release, environOf(application, release, node.record)),
    ...(serves(node) ? web() : []),
    ...followers(instance, node, { restart: false }),
  ]
}
