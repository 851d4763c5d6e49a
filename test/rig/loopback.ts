import { createNode, type Node } from '../../engine/node/node.js'
import { type Line, marked } from '../../engine/report/report.js'
import { connect } from '../../engine/ssh/connect.js'
import type { Connection } from '../../engine/ssh/connection.js'
import { type Sshd, startSshd } from './sshd.js'

/** A node that is this machine's sshd: real connections and real scripts, which keep their files to themselves. */
export interface Loopback {
  readonly sshd: Sshd
  /** A connection of its own, closed at the end. */
  connect(name?: string): Connection
  /** A node with a connection of its own. */
  node(options?: { readonly name?: string; readonly mode?: 'apply' | 'check'; readonly roles?: readonly string[] }): Node
  stop(): Promise<void>
}

/** Starts a node on loopback whose /run/kraftwerk and /var/lib/kraftwerk are its own. */
export async function startLoopback(): Promise<Loopback> {
  const sshd = await startSshd(['MaxSessions 10', 'MaxStartups 100'], 'ecdsa', ['/run/kraftwerk', '/var/lib/kraftwerk'])
  const opened: Connection[] = []
  const open = (name = 'one') => {
    const connection = connect({ record: { ...sshd.record, name }, configFile: sshd.configFile })
    opened.push(connection)
    return connection
  }
  return {
    sshd,
    connect: open,
    node: ({ name = 'one', mode = 'apply', roles } = {}) =>
      createNode({ ...sshd.record, name }, roles ?? 'every', open(name), mode, () => undefined),
    async stop() {
      await Promise.all(opened.map((connection) => connection.close()))
      await sshd.stop()
    },
  }
}

/** A line of a list that writes down what is said on it, and runs the lists below it. */
export function notedLine(): { readonly line: Line; readonly said: string[] } {
  const said: string[] = []
  const lineOf = (title: string): Line => ({
    title: (text, mark) => void said.push(`title ${marked(text, mark)}`),
    output: (text) => void said.push(`output ${text}`),
    skip: (reason) => void said.push(`skip ${title}: ${reason}`),
    async list(items) {
      for (const item of items) await item.run(lineOf(item.title))
    },
  })
  return { line: lineOf('top'), said }
}
