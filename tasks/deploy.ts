import { hostname, userInfo } from 'node:os'
import type { Node } from '../engine/node/node.js'
import { expectScript } from '../engine/step/apply.js'
import { option } from '../engine/task/option.js'
import { Result } from '../engine/task/result.js'
import { task } from '../engine/task/task.js'
import { endsSoon, readHttps } from '../project/https.js'
import { requireInstance } from '../project/instance.js'
import { layout } from '../project/layout.js'
import { readApplication, refuseSplitData, withFetched } from '../recipes/application.js'
import { releaseNodes, serves } from '../recipes/followers.js'
import { hookSteps } from '../recipes/hooks.js'
import { certificate, https as httpsSteps } from '../recipes/https.js'
import { claim, shared } from '../recipes/instance.js'
import { removeLeftovers } from '../recipes/leftovers.js'
import { memory } from '../recipes/memory.js'
import { packageIndexes } from '../recipes/package-index.js'
import { preflight } from '../recipes/preflight.js'
import { placeRelease, prune, releaseId } from '../recipes/release.js'
import { releaseCommand } from '../recipes/release-command.js'
import { setUp, setUpAgain, siteOf } from '../recipes/set-up.js'
import { freeNames, site } from '../recipes/site.js'
import { pruneSnapshots, takeSnapshot } from '../recipes/snapshot.js'
import { buildStatic, takeStatic } from '../recipes/static-build.js'
import { numberReleases } from '../recipes/static-files.js'
import { newAccounts } from '../recipes/superusers.js'
import { buildVirtualenv, virtualenv } from '../recipes/venv.js'
import { versions } from '../recipes/versions.js'
import { backupSteps } from './backup-steps.js'
import { countChanges } from './changes.js'
import { dataServices } from './data-services.js'
import { evenEnviron } from './even-environ.js'
import { createAccounts, withAccounts } from './first-accounts.js'
import { hookFacts, hookParts, hooksAfterSwitch, hooksBeforeUpload } from './hooks.js'
import { afterDeploy } from './next-command.js'
import { notifying } from './notify.js'
import { inParts, onceServed } from './rollout/afterwards.js'
import { balancingOf, httpsOnWeb, setUpBalancers, trusted } from './rollout/balance.js'
import { begin, reachFor, withFacts } from './rollout/begin.js'
import { finish } from './rollout/finish.js'
import { newRelease } from './rollout/names.js'
import type { Part } from './rollout/parts.js'
import { printReceipt, receiptOf } from './rollout/receipt.js'
import { type Rollout, rollout } from './rollout/rollout.js'
import { generationSteps, renderProcesses, startAndCheck, switchAndDrain } from './rollout/switch.js'
import { orTakeBack } from './rollout/take-back.js'
import { setUpServices, withServices } from './service-node.js'
import { staticAsItIs, staticSteps } from './static-steps.js'
import { expectUpload, heldOn, openSource, pinned, type Sent, upload } from './upload.js'
import { urlsOf } from './urls.js'

/** Puts the project on its nodes as a new release, without losing a request. */
export const deploy = task({
  on: 'once',
  rolling: true,
  connection: 'alone',
  needs: 'instance',
  group: 'Deploy',
  meantBy: ['push', 'publish', 'ship', 'redeploy'],
  help: 'put the project on its nodes as a new release, no request lost',
  changes:
    'the release that serves, with its virtualenv, processes, services, site and certificate; release commands may change data',
  examples: [
    'kraft deploy:stage',
    'kraft deploy:stage --dry-run',
    'kraft deploy:live --batch 25%',
    'kraft deploy:live --rev v1.2',
  ],
  options: {
    rev: option({ type: 'string', help: 'the code at this commit, tag or branch; left out: the files as they are' }),
    codeOnly: option({
      type: 'boolean',
      help: 'no release command, no build, no services: static files and data stay as the release that serves has them',
    }),
  },
  run: notifying('deploy', async ({ target, session, line, options }, noted) => {
    const own = requireInstance(target)
    const codeOnly = options.codeOnly === true
    const https = readHttps(own)
    const nodes = releaseNodes(own, target.nodes)
    reachFor(nodes)
    const code = await openSource(own, session, options.rev)
    // Settings are those of now: a revision has the code and what it requires.
    const instance = { ...own, folder: code.folder }
    const { settings } = instance
    const { timeout, drain = timeout } = settings
    const { commit, dirty, name: revision } = code.revision
    const facts = { ...hookFacts(target, nodes, session), commit, folder: code.folder }
    // They may make what is then sent; what is promoted was made before.
    if (code.promoted === undefined && !codeOnly) await line.list(hooksBeforeUpload(settings.hooks, facts))
    const read = pinned(await readApplication(instance), code)
    const [application, indexes] = await Promise.all([
      withFetched(read, session.flags.dryRun, line.output),
      packageIndexes(instance, session.flags.dryRun),
    ])
    refuseSplitData(application, nodes.length)
    const backups = await backupSteps(instance, session)
    const statics = codeOnly ? staticAsItIs : await staticSteps(application, nodes, session)
    const accounts = newAccounts(application)
    const files = await code.files()
    for (const surprise of [...(await code.surprises()), ...endsSoon(https)]) line.output(surprise)
    const began = new Date()
    const release = { place: instance, id: releaseId(began), generation: releaseId(began) }
    Object.assign(noted, { release: release.id, commit, revision })
    const whole = rollout({
      application,
      nodes,
      session,
      task: code.promoted === undefined ? 'deploy' : 'promote',
      made: 'release',
      switched: () => 'current',
      releaseOn: () => release,
      balancing: await balancingOf(instance, session),
    })
    const onWeb = httpsOnWeb(https, trusted(whole.balancing))
    const sent = new Map<string, Sent>()
    const venvFor = async (node: (typeof nodes)[number]) =>
      virtualenv(application.requirements, {
        codename: (await node.facts()).codename,
        python: settings.python,
        index: settings.index,
      })
    const origin = code.promoted === undefined ? {} : { promoted_from: code.promoted.from }
    const receipt = {
      project: instance.project.name,
      environment: instance.environment ?? null,
      commit: commit ?? null,
      revision: revision ?? null,
      dirty,
      ...origin,
      files: files.length,
      by: `${userInfo().username}@${hostname()}`,
      at: new Date().toISOString(),
    }

    const siteOn = (node: (typeof nodes)[number], ipv6: boolean) =>
      siteOf(application, node.record, { ipv6, https: onWeb, balancers: trusted(whole.balancing) })
    // A mistake in a template is found here, where it costs nothing: each is rendered once before a node is reached.
    setUp(application, onWeb)
    for (const node of nodes) {
      backups(node)
      statics.setUp(node)
      for (const ipv6 of [true, false]) site(instance, siteOn(node, ipv6))
      httpsSteps(instance, https, { name: node.name, codename: '', ipv6: true })
    }
    renderProcesses(whole)

    // What code alone needs not is taken for done.
    let released = codeOnly
    const snapped = settings.snapshot ? await dataServices(instance, []) : []
    const change = (part: Rollout): readonly Part[] => [
      {
        title: `Upload ${files.length} files`,
        run: async (node, own) => {
          const held = asked.get(node.name)
          const how = { dryRun: session.flags.dryRun, alone: part.nodes.length === 1 }
          sent.set(node.name, await upload(node, code, release, own, held === undefined ? how : { ...how, held }))
        },
      },
      {
        title: 'Set up',
        chapter: 'Prepare',
        // Its name is claimed once more: whoever had the lock before may have destroyed the instance.
        steps: (node) => [
          ...claim(instance, instance.owner),
          ...removeLeftovers(instance, drain, release.id),
          ...(codeOnly
            ? setUpAgain(part.application)
            : [...setUp(part.application, onWeb), ...backups(node), ...statics.setUp(node)]),
        ],
      },
      {
        title: 'Release',
        chapter: 'Prepare',
        barrier: true,
        steps: async (node) => {
          const venv = await venvFor(node)
          return [
            ...placeRelease(release, { venv: layout.venv(instance, venv.hash), receipt: { release: release.id, ...receipt } }),
            ...shared(instance, release.id, settings.shared),
            ...buildVirtualenv(instance, release.id, venv, indexes),
            ...generationSteps(part, node),
            ...(codeOnly
              ? takeStatic(release)
              : [...hookSteps(release, 'before-build', settings.hooks, hooked), ...buildStatic(part.application, release)]),
          ]
        },
      },
      ...(codeOnly ? [] : hookParts(part, 'after-build', hooked)),
      statics.send(release),
      ...(snapped.length === 0 || released
        ? []
        : [
            {
              title: 'Snapshot',
              chapter: 'Prepare',
              barrier: true,
              steps: (node: Node) => (node === part.nodes[0] ? takeSnapshot(release, snapped) : []),
            },
          ]),
      ...(released ? [] : hookParts(part, 'before-release', hooked, part.nodes.slice(0, 1))),
      {
        title: 'Release command',
        chapter: 'Prepare',
        barrier: true,
        steps: (node) => {
          // Once for all nodes and batches: two migrations at once would step on each other.
          if (application.release === undefined || released || node !== part.nodes[0]) return []
          released = true
          return releaseCommand(application, release)
        },
      },
      ...(released ? [] : hookParts(part, 'after-release', hooked, part.nodes.slice(0, 1))),
      ...startAndCheck(
        part,
        {
          title: 'Site',
          chapter: 'Prepare',
          steps: async (node) => {
            if (!serves(node)) return []
            const { ipv6, codename } = await node.facts()
            return [...httpsSteps(instance, onWeb, { name: node.name, codename, ipv6 }), ...site(instance, siteOn(node, ipv6))]
          },
        },
        ...hookParts(part, 'before-switch', hooked),
      ),
      ...switchAndDrain(part),
      { title: 'Certificate', chapter: 'Tidy up', steps: () => certificate(instance, onWeb) },
      {
        title: 'Tidy up',
        chapter: 'Tidy up',
        steps: (node) => [
          ...numberReleases(release),
          ...prune(instance, settings.keep),
          ...statics.tidy(node),
          ...pruneSnapshots(instance),
          ...versions(release, ['gunicorn', application.framework.name]),
        ],
      },
    ]

    const asked = new Map<string, Awaited<ReturnType<typeof heldOn>>>()
    await begin({ ...whole, also: withFacts }, line, async (node, own) => {
      // The look below is a script as well.
      expectScript(node.connection)
      if (!session.flags.dryRun) expectUpload(node, release)
      const checks = async () => {
        const names = serves(node) ? freeNames(instance, siteOn(node, false)) : []
        const room = serves(node) ? memory(instance, settings.workers) : []
        const looks = [...preflight(node.name, new Date()), ...room, ...names, ...claim(instance, instance.owner)]
        const { counts } = await node.apply('Check the node', looks, own)
        if (counts.changed > 0) whole.fresh.add(node.name)
      }
      const [checked, held] = await Promise.allSettled([checks(), heldOn(node, instance)])
      if (checked.status === 'rejected') throw checked.reason
      if (held.status === 'fulfilled') asked.set(node.name, held.value)
    })
    const id = newRelease(instance, whole, began)
    Object.assign(release, { id, generation: id })
    noted.release = id
    const hooked = { ...facts, release: id }
    await setUpServices(application, session, line, whole.applied)
    const served = { ...whole, application: await withServices(application, session) }
    await finish(served, line).catch((error: unknown) => {
      // The new release takes its place; but nobody wants one any more who has stopped kraft.
      if (session.ended.aborted) throw error
      line.output(`What was interrupted stays: ${String(error)}`)
    })
    await evenEnviron(instance, nodes, session)
    await inParts(served, line, async (part, own) => {
      await orTakeBack(part, own, change(part))
      await hooksAfterSwitch(part, own, hooked)
    })
    await onceServed(whole, () => setUpBalancers(whole, https, line))
    const created = await createAccounts(application, accounts, nodes[0], session, line)
    if (session.flags.dryRun) {
      const { changed } = countChanges(
        instance.name,
        whole.applied.map(({ applied }) => applied),
      )
      return new Result(`${instance.name}: ${changed} steps would change something`, { changed, sent: Object.fromEntries(sent) })
    }
    const urls = await urlsOf(instance, whole.balancing?.balancers ?? nodes.filter(serves))
    const took = receiptOf(whole)
    const from = code.promoted === undefined ? '' : `, promoted from ${code.promoted.from}`
    const rows = [`${instance.name} is at release ${release.id}${from}`, ...urls, ...printReceipt(took, [...sent.values()])]
    const data = {
      release: release.id,
      commit,
      revision,
      dirty,
      ...origin,
      sent: Object.fromEntries(sent),
      urls,
      ...took,
    }
    return withAccounts(created, rows, data, afterDeploy(instance, target.word))
  }),
})
