import { parseState } from '../../../recipes/state.js'
import { parseMeasures } from '../../../recipes/status/measures.js'
import type { InstanceView } from '../../../tasks/dashboard/environment-watch.js'
import { History } from '../../../tasks/dashboard/history.js'
import type { NodeView } from '../../../tasks/dashboard/node-watch.js'
import type { Views } from '../../../tasks/dashboard/watch.js'

/** A node that is well. */
export const node: NodeView = {
  name: 'one',
  provider: 'local',
  address: '10.0.0.1',
  isReached: true,
  problem: undefined,
  measures: parseMeasures(
    'now 1001\nuptime 259200\nload 0.10 0.20 0.30 2\nmemory 2000000 1000000 0 0\ndisk:/ 10000000 6000000 100 50\n',
  ),
  machine: { rows: [['system', 'up 3 days']], data: null, attention: [] },
  residents: [{ name: 'shop-live', project: 'shop', environment: 'live', release: '20261128-100000' }],
  history: new History(10),
}

/** An instance that serves on it. */
export const instance: InstanceView = {
  node: 'one',
  part: 'web',
  known: {
    state: parseState(
      'current 20261128-100000 20261128-100000\nrelease 20261128-100000 served\nreceipt {"by":"ada","commit":"0123456789abcdef","revision":"main","at":"2026-11-28T10:00:00.000Z"}\n',
    ),
    certificate: { until: new Date(Date.now() + 40.5 * 86_400_000), own: false },
    found: {
      site: { rows: [['site', '200 in 12 ms']], data: { code: 200, milliseconds: 12, closed: null }, attention: [] },
      programs: {
        rows: [],
        data: [{ kind: 'web', name: 'web', state: 'run', seconds: 70, pid: 12, memory: 1 << 20, restarts: 0 }],
        attention: [],
      },
      services: {
        rows: [],
        data: [{ name: 'postgres', up: true, version: '15.8', size: 7 << 20, connections: 1 }],
        attention: [],
      },
    },
  },
  problem: undefined,
  attention: [],
  history: new History(10),
}

/** A project with one environment on one node. */
export const views: Views = {
  nodes: [node],
  environments: [
    {
      word: 'live',
      project: 'shop',
      environment: 'live',
      instance: 'shop-live',
      domain: 'shop.example.com',
      nodes: [instance],
      isMixed: false,
      backups: undefined,
      backupProblem: undefined,
    },
  ],
  problems: [],
}
