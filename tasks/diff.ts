import { hasColors } from '../engine/report/abilities.js'
import { option } from '../engine/task/option.js'
import { Result } from '../engine/task/result.js'
import { task } from '../engine/task/task.js'
import { Manifest } from '../engine/transfer/manifest.js'
import { requireInstance } from '../project/instance.js'
import { readApplication, withFetched } from '../recipes/application.js'
import { balancersAmong, releaseNodes } from '../recipes/followers.js'
import { diffOn, diffOnBalancer, diffOnData } from './diff-node.js'
import { differs, diffText } from './diff-text.js'
import { balancingOf, trusted } from './rollout/balance.js'
import { serviceSteps, withServices } from './service-node.js'
import { openSource } from './upload.js'

/** What a deploy would change: commits, files, requirements, and what it writes on the node. Changes nothing. */
export const diff = task({
  on: 'once',
  needs: 'instance',
  group: 'Deploy',
  help: 'say what a deploy would change\nCommits, files, requirements, and configuration that differs on the node.',
  changes: 'nothing',
  examples: ['kraft diff:live', 'kraft diff:live --rev v1.2', 'kraft diff:live --exit-code'],
  options: {
    rev: option({ type: 'string', help: 'the code at this commit, tag or branch; left out: the files as they are' }),
    exitCode: option({ type: 'boolean', help: 'end with code 1 where something differs' }),
  },
  async run({ target, session, line, options: { rev, exitCode } }) {
    const asked = requireInstance(target)
    const code = await openSource(asked, session, rev)
    const read = await readApplication({ ...asked, folder: code.folder })
    const application = await withServices(await withFetched(read, session.flags.dryRun, line.output), session, true)
    const balancing = await balancingOf(asked, session)
    const wanted = {
      application,
      revision: code.revision,
      manifest: Manifest.of(await code.files()),
      balancers: trusted(balancing),
    }
    const data = await serviceSteps(application, session)
    const looks = [
      ...releaseNodes(asked, target.nodes).map((node) => ({ node, look: () => diffOn(node, wanted, asked.folder) })),
      ...(balancing === undefined
        ? []
        : balancersAmong(target.nodes).map((node) => ({ node, look: () => diffOnBalancer(node, wanted, balancing) }))),
      ...(data === undefined ? [] : [{ node: data.node, look: () => diffOnData(data.node, data.steps) }]),
    ]
    const found: Awaited<ReturnType<typeof diffOn>>[] = []
    await line.list(
      looks.map(({ node, look }, index) => ({
        title: `Compare with ${node.name}`,
        run: async () => {
          found[index] = await look()
        },
      })),
      { concurrent: true },
    )
    const all = looks.flatMap((_, index) => found[index] ?? [])
    const color = hasColors(process.stdout)
    return new Result(diffText(all, { color }), all, undefined, false, exitCode && all.some(differs) ? 1 : 0)
  },
})
