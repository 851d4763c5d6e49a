import { type Sh, sh } from '../engine/shell/sh.js'
import type { Place } from '../project/service.js'
import { asInstance } from './as-instance.js'
import { freeMemory } from './memory.js'

/** The file in a bundle. */
export const redisMember = 'redis.rdb'

/** What a program that reads a snapshot says of it; it reads it as the user whose data it is. */
export const checkSnapshot = (place: Place, file: Sh) =>
  sh`${asInstance(place, 'sh', '-c', 'cat | redis-check-rdb /dev/stdin')} <${file}`

/** Shell that sets `needs` and `free` to megabytes of memory: what a server had by what is `said` of its snapshot, and what there is. */
export const needed = sh`
  needs=$(printf '%s\n' "$said" | sed -n "s/.*AUX FIELD used-mem = '\([0-9]*\)'.*/\1/p")
  needs=$((\${needs:-0} / 1024 / 1024))
  ${freeMemory}
  free=$((memory + swap))
`

/** Fails where a snapshot is damaged, or has no room in the node's memory beside what is there. */
export const fits = (place: Place, file: Sh) => sh`
  if ! said=$(${checkSnapshot(place, file)}); then printf '%s\n' "$said"; exit 1; fi
  ${needed}
  if [ "$needs" -gt "$free" ]; then
    printf 'The data takes %s MB of memory beside the live data, and %s MB are free\n' "$needs" "$free"
    exit 1
  fi
`

/**
 * A second server, on a folder of the instance's own: `start` starts it on the snapshot in there, and `other` asks it. It believes that it
 * is a replica, which neither passes over keys whose time has come since the dump nor removes them: so it has what was dumped, whenever
 * that was.
 */
export const secondServer = (place: Place, folder: string) => sh`
  log=$(mktemp)
  # The password of a server elsewhere would not be this one's.
  other() { ${asInstance(place, 'env', '-u', 'REDISCLI_AUTH', 'redis-cli', '-s', secondSocket(folder))} "$@"; }
  start() {
    ${asInstance(place, 'redis-server')} --port 0 --unixsocket ${secondSocket(folder)} --unixsocketperm 700 \
      --dir ${folder} --dbfilename dump.rdb --save '' --replicaof 127.0.0.1 1 "$@" >"$log" 2>&1 &
    server=$!
    trap 'kill "$server" 2>/dev/null || :; wait "$server" || :; rm -f "$log"' EXIT
    until [ "$(other ping 2>&1)" = PONG ]; do
      if ! kill -0 "$server" 2>/dev/null; then grep '#' "$log" | tail -n 5; exit 1; fi
      sleep 0.1
    done
  }
`

/** Where it listens. */
export const secondSocket = (folder: string) => `${folder}/redis.sock`
