import * as v from 'valibot'
import type { Section } from '../config/section.js'
import type { NodeRecord } from './record.js'

const text = v.pipe(v.string(), v.nonEmpty('some text'))
const hostKey = v.pipe(text, v.regex(/^[a-z0-9@.-]+ [A-Za-z0-9+/]+=*( .*)?$/, 'a host key, as in "ssh-ed25519 AAAA…"'))

/** What nodes.yaml holds for each node, in the order in which it is written. */
export const recordSection = {
  provider: { schema: text, doc: 'What made the node', example: 'static' },
  id: { schema: v.optional(text), doc: "The provider's own name for it" },
  address: {
    schema: v.pipe(text, v.regex(/^[A-Za-z0-9][A-Za-z0-9.:%_-]*$|^::/, 'an IP address or a host name')),
    doc: 'IP address or host name',
    example: '203.0.113.7',
  },
  port: {
    schema: v.optional(v.pipe(v.number(), v.integer('a whole number'), v.minValue(1), v.maxValue(65_535))),
    doc: 'Port of its sshd; 22 if left out',
    example: 2222,
  },
  user: {
    schema: v.pipe(text, v.regex(/^[A-Za-z_][A-Za-z0-9._-]*\$?$/, 'the name of a user')),
    doc: 'The login: root, or a user with sudo',
    example: 'root',
  },
  host_keys: { schema: v.array(hostKey), doc: 'Its public host keys', example: ['ssh-ed25519 AAAA…'] },
  made: { schema: v.optional(v.record(v.string(), v.string())), doc: 'What the provider must know to remove the node' },
} satisfies Section & Record<Exclude<keyof NodeRecord, 'name'>, unknown>
