import type { Node } from '../engine/node/node.js'
import type { Step } from '../engine/step/step.js'
import { type Application, environOf } from '../recipes/application.js'
import { startBeside } from '../recipes/gunicorn.js'
import { processes } from '../recipes/processes.js'
import { prepareGeneration, type Release } from '../recipes/release.js'
import { setUp, siteOf } from '../recipes/set-up.js'
import { site } from '../recipes/site.js'

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
  const { workers, threads, timeout, drain = timeout, processes: asked } = instance.settings
  const { ipv6 } = await node.facts()
  return [
    ...setUp(application),
    ...prepareGeneration(release, environOf(application, release, node.record)),
    ...written(startBeside(release, { wsgi, workers, threads, timeout, drain })),
    ...written(processes(instance, asked, { patience: timeout })),
    ...site(instance, siteOf(application, node.record, { ipv6, balancers })),
  ]
}

/** Those that write a file: the others start something. */
function written(steps: readonly Step[]): readonly Step[] {
  return steps.filter(({ files }) => files !== undefined)
}
