import { type Sh, sh } from '../../../engine/shell/sh.js'
import { bridgeName, gateway, type NodeNames, type State } from './names.js'
import { explain } from './root.js'

/** Script: fails where the network of a state belongs to another folder, whose nodes would have the same names. */
export function ownNetwork(state: State): Sh {
  const bridge = bridgeName(state)
  return sh`
    [ ! -e /sys/class/net/${bridge} ] || [ "$(cat /sys/class/net/${bridge}/ifalias)" = ${owner(state)} ] || ${explain(
      `The network ${state.subnet}.0/24 belongs to the local nodes of another folder`,
      'Set KRAFT_LOCAL_SUBNET to another one, e.g. 10.78.0',
    )}`
}

/** What the bridge of a state says whose it is. */
export const owner = (state: State): string => `kraftwerk ${state.root}`

/**
 * Script: the bridge of a state with this machine's address on it. The unreachable route keeps what is meant for a node from
 * leaving by the default route while the bridge is gone.
 */
export function bridgeUp(state: State): Sh {
  const bridge = bridgeName(state)
  return sh`
    ${ownNetwork(state)}
    if [ ! -e /sys/class/net/${bridge} ]; then
      if ip -4 -o addr | grep -qF ${` ${state.subnet}.`}; then ${explain(
        `This machine uses the network ${state.subnet}.0/24 for something else`,
        'Set KRAFT_LOCAL_SUBNET to a free one, e.g. 10.78.0',
      )}; fi
      ip link add ${bridge} type bridge
      ip link set ${bridge} alias ${owner(state)}
    fi
    ip addr replace ${gateway(state)}/24 dev ${bridge}
    ip link set ${bridge} up
    ip route replace unreachable ${state.subnet}.0/24 metric 4096`
}

/** Script: what {@link bridgeUp} made is gone. */
export function bridgeDown(state: State): Sh {
  const bridge = bridgeName(state)
  return sh`
    if [ "$(cat /sys/class/net/${bridge}/ifalias 2>/dev/null)" = ${owner(state)} ]; then
      ip link del ${bridge}
      ip route del unreachable ${state.subnet}.0/24 metric 4096 2>/dev/null || :
    fi`
}

/**
 * Script: the network namespace of a node, made before its PID 1 so that the address is there from the start. Its MAC is always
 * the same: with a new one at each start, others would hang on their stale ARP entry for a minute.
 */
export function cableUp(state: State, node: NodeNames): Sh {
  return sh`
    if ! ip -n ${node.id} link show eth0 >/dev/null 2>&1; then
      [ ! -e /run/netns/${node.id} ] || ip netns del ${node.id}
      [ ! -e /sys/class/net/${node.id} ] || ip link del ${node.id}
      ip netns add ${node.id}
      ip link add ${node.id} type veth peer name eth0 netns ${node.id}
    fi
    ip link set ${node.id} alias ${`kraftwerk ${node.name}`} master ${bridgeName(state)} up
    ip -n ${node.id} link set lo up
    ip -n ${node.id} link set eth0 address ${node.mac}
    ip -n ${node.id} addr replace ${node.address}/24 dev eth0
    ip -n ${node.id} link set eth0 up`
}

/** Script: what {@link cableUp} made is gone. */
export function cableDown(id: string): Sh {
  return sh`
    if [ -e /run/netns/${id} ]; then ip netns del ${id}; fi
    if [ -e /sys/class/net/${id} ]; then ip link del ${id} 2>/dev/null || :; fi`
}
