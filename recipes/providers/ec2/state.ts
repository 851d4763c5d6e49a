import type { Instance, InstanceStateName } from '@aws-sdk/client-ec2'
import type { NodeState } from '../../../engine/node/provider.js'

const states: Readonly<Record<InstanceStateName, NodeState>> = {
  pending: 'starting',
  running: 'running',
  stopping: 'stopped',
  stopped: 'stopped',
  'shutting-down': 'missing',
  terminated: 'missing',
}

/** What the state of an instance means for a node. */
export function stateOf(instance: Instance | undefined): NodeState {
  return states[instance?.State?.Name ?? 'terminated']
}
