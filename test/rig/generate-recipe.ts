import { type Secret, secret } from '../../engine/shell/secret.js'
import { sh } from '../../engine/shell/sh.js'
import type { Handler, Step } from '../../engine/step/step.js'
import { apt } from '../../recipes/apt.js'
import { absent, directory, file, link, type Ownership } from '../../recipes/file.js'
import { template } from '../../recipes/template.js'
import { group, member, systemUser } from '../../recipes/user.js'

/** A recipe made of a seed: the same seed gives the same steps. */
export interface Generated {
  readonly steps: readonly Step[]
  /** Some of them in their order: what is applied beforehand, so that a plan meets what is done as well as what is not. */
  readonly before: readonly Step[]
}

/**
 * Makes a recipe of 1 to 14 things, each with a place of its own, so that it can be made true as a whole: files, templates, folders,
 * links, absent things, users, groups, packages and raw steps, with secrets, handlers, other users and odd names.
 */
export function generateRecipe(seed: number): Generated {
  const random = mulberry32(seed)
  const below = (limit: number) => Math.floor(random() * limit)
  const pick = <T>(from: readonly [T, ...T[]]): T => from[below(from.length)] ?? from[0]
  const room = `/srv/generated/${seed}`
  const text = () => Array.from({ length: below(6) }, () => pick(pieces)).join('')
  const handlers: readonly [Handler, ...Handler[]] = [
    { name: `count ${seed}`, apply: sh`echo x >>${`${room}/handled`}` },
    { name: `reload:${seed}@now`, apply: sh`set -- $(wc -c <${`${room}/handled`} 2>/dev/null || echo 0)\ntrue` },
  ]
  const extra = () => (below(3) === 0 ? { notify: [pick(handlers)] } : {})
  const owner = () => pick<Ownership>([{}, { owner: 'nobody' }, { group: 'www-data', mode: '0640' }, { mode: '0600' }])
  let number = 0
  const makers: readonly [() => readonly Step[], ...(() => readonly Step[])[]] = [
    () =>
      file({
        path: `${room}/${place()}`,
        content: pick<string | Secret>([text(), secret(`hush-${text()}`)]),
        ...owner(),
        ...extra(),
      }),
    () => file({ path: `${room}/${place()}`, content: text(), ...extra() }),
    () =>
      template('generated.conf', { to: `${room}/${place()}`, vars: { text: text(), jobs: below(9) }, ...owner(), ...extra() }),
    () => directory({ path: `${room}/${place()}/deep`, ...owner() }),
    () => link({ path: `${room}/${place()}`, to: pick(['/etc/hostname', 'a  b', '../..']), ...extra() }),
    () => absent(`${room}/${place()}`, extra()),
    () => systemUser({ name: `gen-${seed}-${place(true)}`, home: pick(['/nonexistent', room]) }),
    () => group(`grp-${seed}-${place(true)}`),
    () => {
      const user = `gen-${seed}-${place(true)}`
      const path = `${room}/${place()}`
      return [
        ...systemUser({ name: user, home: '/nonexistent' }),
        ...member({ user, group: 'users', ...extra() }),
        ...directory({ path, owner: user, group: user }),
        ...raw(`${path}/own`, { as: user }),
        ...file({ path: `${path}.conf`, content: text(), owner: user }),
      ]
    },
    () => apt(...pick<readonly string[]>([['sudo'], ['python3', 'procps'], ['nosuchpackage|ca-certificates']])),
    () => raw(`${room}/${place()}`, extra()),
    () => raw(`${room}/${place()}`, { ...extra(), files: { key: secret(text()), plain: text() } }),
    () => [{ title: `Not here ${place()}`, check: sh`echo ${text()}; echo reason; exit 75`, apply: sh`exit 9` }],
  ]
  const place = (plain = false) => {
    number += 1
    return plain ? String(number) : `${number}${pick(names)}`
  }
  const parts = Array.from({ length: 1 + below(14) }, () => pick(makers)())
  const base = directory({ path: room })
  return { steps: [...base, ...parts.flat()], before: [...base, ...parts.filter(() => below(3) === 0).flat()] }
}

function raw(path: string, more: Partial<Step> = {}): readonly Step[] {
  return [
    {
      title: `Raw ${path}`,
      check: sh`test -f ${path}`,
      apply: sh`
        # Whatever is on its input would be the script's.
        cat
        if [ -f "$KRAFT_STEP/key" ]; then wc -c <"$KRAFT_STEP/key"; fi
        : >${path}
      `,
      diff: sh`echo '+raw'`,
      ...more,
    },
  ]
}

const names = ['', ' a b', "it's", '-x', '"q"', '$HOME', '`id`', 'ä€😀', '*', '#', '.conf', '\\n', ';false'] as const
const pieces = [
  'line\n',
  '\n',
  'no newline',
  '  blanks  \n',
  'KRAFT_BASE64\n',
  'EOF\n',
  '$(id) `id` ${x} \\ \\n\n',
  `it's "quoted"\n`,
  'ä€😀\n',
  'a\r\nb\r\n',
  '\t\x01\x7f\n',
  '\x1e000 end 0 ok\n',
  '-- ----- end of x\n',
  '%s %d %%\n',
] as const

/** A small generator of numbers in [0, 1), the same for the same seed everywhere. */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
