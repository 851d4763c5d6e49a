import { hostname, userInfo } from 'node:os'
import { hasRole } from '../engine/node/node.js'
import { sh } from '../engine/shell/sh.js'
import { inBatches } from '../engine/task/in-batches.js'
import { option } from '../engine/task/option.js'
import { Result } from '../engine/task/result.js'
import { task } from '../engine/task/task.js'
import { endsSoon, readHttps } from '../project/https.js'
import { requireInstance } from '../project/instance.js'
import { layout } from '../project/layout.js'
import { hostOf, hostsOf, readApplication, refuseSplitData } from '../recipes/application.js'
import { apt } from '../recipes/apt.js'
import { certificate, httpsPackages, https as httpsSteps, servesHttps } from '../recipes/https.js'
import { claim, instance as instanceSteps, packageLink, shared } from '../recipes/instance.js'
import { removeLeftovers } from '../recipes/leftovers.js'
import { preflight } from '../recipes/preflight.js'
import { placeRelease, prune, releaseId, runInGeneration } from '../recipes/release.js'
import { freeNames, type Site, site } from '../recipes/site.js'
import { buildVirtualenv, virtualenv } from '../recipes/venv.js'
import { countChanges } from './changes.js'
import {
  begin,
  generationSteps,
  lock,
  onEach,
  orTakeBack,
  type Rollout,
  renderProcesses,
  restartProcesses,
  startAndCheck,
  stepsOnEach,
  switchAndDrain,
} from './rollout.js'
import { openSource, type Sent, upload } from './upload.js'

/** Puts the project on its nodes as a new release, without losing a request. */
export const deploy = task({
  on: 'once',
  rolling: true,
  ownConnection: true,
  needs: 'instance',
  group: 'Deploy',
  help: 'put the project on its nodes as a new release, without losing a request',
  examples: [
    'kraft deploy:stage',
    'kraft deploy:stage --dry-run',
    'kraft deploy:live --batch 25%',
    'kraft deploy:live --rev v1.2',
  ],
  options: {
    rev: option({ type: 'string', help: 'the code at this commit, tag or branch; left out: the files as they are' }),
  },
  async run({ target, session, line, options }) {
    const asked = requireInstance(target)
    const https = readHttps(asked)
    const code = await openSource(asked, session, options.rev)
    // Settings are those of now: a revision has the code and what it requires.
    const instance = { ...asked, folder: code.folder }
    const { settings } = instance
    const nodes = target.nodes.filter((node) => hasRole(node, 'web'))
    const application = await readApplication(instance)
    refuseSplitData(application, nodes.length)
    const files = await code.files()
    for (const surprise of [...(await code.surprises()), ...endsSoon(https)]) line.output(surprise)
    const { commit, dirty, name: revision } = code.revision
    const id = releaseId(new Date())
    const release = { place: instance, id, generation: id }
    const rollout: Rollout = {
      application,
      nodes,
      session,
      kind: 'release',
      releaseOn: () => release,
      locks: new Map(),
      fresh: new Set(),
      applied: [],
    }
    const sent = new Map<string, Sent>()
    const venvFor = async (node: (typeof nodes)[number]) =>
      virtualenv(application.requirements, { codename: (await node.facts()).codename, python: settings.python })
    const receipt = {
      release: id,
      project: instance.project.name,
      environment: instance.environment ?? null,
      commit: commit ?? null,
      revision: revision ?? null,
      dirty,
      files: files.length,
      by: `${userInfo().username}@${hostname()}`,
      at: new Date().toISOString(),
    }

    const siteOn = (node: (typeof nodes)[number], ipv6: boolean): Site => ({
      domain: settings.domain,
      hosts: hostsOf(instance, node.record),
      aliases: settings.aliases,
      package: application.package,
      uploads: settings.services.some(({ name }) => name === 'files'),
      maxBody: settings.max_body,
      timeout: settings.timeout,
      ipv6,
      https,
    })
    // A mistake in a template is found here, where it costs nothing: each is rendered once before a node is reached.
    instanceSteps(instance)
    for (const node of nodes) {
      for (const ipv6 of [true, false]) site(instance, siteOn(node, ipv6))
      httpsSteps(instance, https, { name: node.name, codename: '', ipv6: true })
    }
    renderProcesses(rollout)

    let released = false
    const change = (part: Rollout) => [
      stepsOnEach(part, 'Set up', () => [
        ...removeLeftovers(instance, settings.timeout),
        ...apt(...settings.apt, ...httpsPackages(https)),
        ...instanceSteps(instance),
        ...application.services.flatMap(({ service, settings: own }) => [...service.install(), ...service.setup(instance, own)]),
        ...packageLink(instance, application.package, settings.src),
      ]),
      onEach(part, `Upload ${files.length} files`, async (node, own) => {
        sent.set(
          node.name,
          await upload(node, code, release, own, { dryRun: session.flags.dryRun, alone: part.nodes.length === 1 }),
        )
      }),
      stepsOnEach(part, 'Release', async (node) => {
        const venv = await venvFor(node)
        return [
          ...placeRelease(release, { venv: layout.venv(instance, venv.hash), receipt }),
          ...shared(instance, id, settings.shared),
          ...buildVirtualenv(instance, id, venv),
          ...generationSteps(part, node),
          ...(application.framework.build === undefined
            ? []
            : runInGeneration(release, 'Build static files', application.framework.build, { build: true })),
        ]
      }),
      onEach(part, 'Release command', async (node, own) => {
        // Once for all nodes and batches: two migrations at once would step on each other.
        if (application.release === undefined || released || node !== part.nodes[0]) return
        const steps = runInGeneration(release, application.release, application.release)
        part.applied.push(await node.apply('Release command', steps, own))
        released = true
      }),
      ...startAndCheck(part),
      stepsOnEach(part, 'Site', async (node) => {
        const { ipv6, codename } = await node.facts()
        return [...httpsSteps(instance, https, { name: node.name, codename, ipv6 }), ...site(instance, siteOn(node, ipv6))]
      }),
      ...switchAndDrain(part),
      ...restartProcesses(part),
      ...(https?.from.kind === 'acme' ? [stepsOnEach(part, 'Certificate', () => certificate(instance, https))] : []),
      stepsOnEach(part, 'Tidy up', () => prune(instance, 5)),
    ]

    await begin(rollout, () =>
      line.list([
        onEach(rollout, 'Check the node', async (node, own) => {
          await node.apply('Check the node', [...preflight(node.name), ...freeNames(instance, siteOn(node, false))], own)
          const claimed = await node.apply('Claim the name', claim(instance, instance.owner), own)
          if (claimed.counts.changed > 0) rollout.fresh.add(node.name)
        }),
        lock(rollout),
      ]),
    )
    await inBatches(session, nodes, line, (batch, own) => {
      const part = { ...rollout, nodes: batch }
      return orTakeBack(part, own, change(part))
    })
    if (session.flags.dryRun) {
      const { changed } = countChanges(instance.name, rollout.applied)
      return new Result(`${instance.name}: ${changed} steps would change something`, { changed, sent: Object.fromEntries(sent) })
    }
    const urls = await Promise.all(
      nodes.map(async (node) => {
        const encrypted = https !== undefined && (await node.read(sh`if ${servesHttps(instance)}; then echo yes; fi`.text)) !== ''
        return `${encrypted ? 'https' : 'http'}://${hostOf(instance, node.record)}/`
      }),
    )
    return new Result([`${instance.name} is at release ${id}`, ...new Set(urls)].join('\n'), {
      release: id,
      commit,
      revision,
      dirty,
      sent: Object.fromEntries(sent),
      urls: [...new Set(urls)],
    })
  },
})
