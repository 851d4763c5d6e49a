import type { Node } from '../../engine/node/node.js'

/** A script that a shell of the node was given, as the node recorded it. */
export interface Executed {
  /** Below the folder of its run: `script`, `3/kraft-check`, `3/kraft-apply`; or the path of a handler. */
  readonly path: string
  readonly content: string
}

/**
 * Puts recorders in front of the node's shells, by PATH: before they become the real sh or bash they copy every script that they
 * are given. kraft has no part in it.
 */
export async function startTranscript(node: Node): Promise<void> {
  await node.read(install)
}

/** What was recorded since the last call, in the order in which it began. */
export async function takeTranscript(node: Node): Promise<readonly Executed[]> {
  const files = (
    await node.read('cd /transcript && for f in *; do [ -f "$f" ] || continue; base64 -w 0 "$f"; echo; done; rm -f /transcript/*')
  )
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => Buffer.from(line, 'base64').toString())
  return files.map((text) => {
    const end = text.indexOf('\n')
    return { path: text.slice(0, end).replace(/^\/run\/kraftwerk\/\w+\//, ''), content: text.slice(end + 1) }
  })
}

// A shell that is told to start another one for a script (`sh -c … sh sh PATH`) does not run it itself.
const recorder = (shell: string) => `#!/bin/dash
case "$* " in *" sh sh /run/kraftwerk/"*) exec ${shell} "$@" ;; esac
for word in "$@"; do
  case $word in
    /run/kraftwerk/* | /var/lib/kraftwerk/handlers/*)
      if [ -f "$word" ]; then { printf '%s\\n' "$word"; /bin/cat "$word"; } >"/transcript/$(/bin/date +%s%N)-$$"; fi ;;
  esac
done
exec ${shell} "$@"
`

const install = `set -e
mkdir -m 1777 /transcript
cat >/usr/local/sbin/sh <<'RECORDER'
${recorder('/bin/dash')}RECORDER
cat >/usr/local/sbin/bash <<'RECORDER'
${recorder('/bin/bash')}RECORDER
chmod 755 /usr/local/sbin/sh /usr/local/sbin/bash`
