import { posix } from 'node:path'
import { KraftError } from '../engine/errors/failure.js'
import { isSecret, type Secret } from '../engine/shell/secret.js'
import { lines, type Sh, sh } from '../engine/shell/sh.js'
import type { Handler, Step } from '../engine/step/step.js'

/** Whose a file or directory is, and who may do what with it. */
export interface Ownership {
  /** A user's name; root if left out. */
  readonly owner?: string
  /** A group's name; root if left out. */
  readonly group?: string
  /** Octal, like chmod's: `0644`. */
  readonly mode?: string
}

/** What {@link file} is given. */
export interface FileOptions extends Ownership {
  /** Absolute, and in a folder that nobody but its owner and root can write. */
  readonly path: string
  /** All of the file. A secret travels apart and no diff shows it. */
  readonly content: string | Secret
  /** Run at the end of the phase if the file changed. */
  readonly notify?: readonly Handler[]
  /** Shell that fails if `$KRAFT_FILE`, the new content beside the file, is not valid: then nothing is replaced. */
  readonly validate?: Sh
}

/**
 * A file with this content, owner and mode (0644, or 0600 with a secret in it). It is replaced in one rename, so nobody reads half
 * of it, and a link in its place is replaced, not followed.
 *
 * @throws KraftError where the path is not absolute or the mode not octal.
 * @example file({ path: '/etc/sudoers.d/web', content: '…', mode: '0440', validate: sh`visudo -cf "$KRAFT_FILE"` })
 */
export function file({ path, content, notify, validate, ...ownership }: FileOptions): readonly Step[] {
  absolute('file', path)
  const { owner, group, mode, stat } = owned({ mode: isSecret(content) ? '0600' : '0644', ...ownership })
  return [
    {
      title: `File ${path}`,
      files: { content },
      check: sh`test ! -L ${path} && test -f ${path} && cmp -s "$KRAFT_STEP/content" ${path} && test "$(stat -c '%U:%G:%a' ${path})" = ${stat}`,
      apply: lines(
        sh`
          umask 077
          KRAFT_FILE=$(mktemp ${posix.dirname(path)}/.${posix.basename(path)}.kraft-XXXXXXXX)
          export KRAFT_FILE
          trap 'rm -f "$KRAFT_FILE"' EXIT
          install -T -o ${owner} -g ${group} -m ${mode} "$KRAFT_STEP/content" "$KRAFT_FILE"
        `,
        validate,
        sh`
          mv -fT "$KRAFT_FILE" ${path}
          trap - EXIT
        `,
      ),
      diff: lines(
        isSecret(content)
          ? sh`if ! cmp -s "$KRAFT_STEP/content" ${path}; then printf '%s: other content, which is secret\n' ${path}; fi`
          : sh`
              old=${path}
              if [ ! -f "$old" ]; then old=/dev/null; fi
              diff -u --label ${path} --label ${`${path} (new)`} "$old" "$KRAFT_STEP/content" || :
            `,
        metadataDiff(path, stat),
      ),
      ...(notify === undefined ? {} : { notify }),
    },
  ]
}

/**
 * A directory with this owner and mode (0755 if left out). Missing parents are made as root's. What is in it stays as it is.
 *
 * @throws KraftError where the path is not absolute or the mode not octal.
 * @example directory({ path: '/web', owner: 'web', group: 'web' })
 */
export function directory({ path, ...ownership }: Ownership & { readonly path: string }): readonly Step[] {
  absolute('directory', path)
  const { owner, group, mode, stat } = owned({ mode: '0755', ...ownership })
  return [
    {
      title: `Directory ${path}`,
      check: sh`test ! -L ${path} && test -d ${path} && test "$(stat -c '%U:%G:%a' ${path})" = ${stat}`,
      apply: sh`
        if [ -L ${path} ]; then printf '%s is a symbolic link, not a directory: remove it first\n' ${path}; exit 1; fi
        install -d -o ${owner} -g ${group} -m ${mode} ${path}
      `,
      diff: lines(sh`if [ ! -e ${path} ]; then printf 'new directory %s\n' ${path}; fi`, metadataDiff(path, stat)),
    },
  ]
}

/**
 * A symbolic link at `path` that says `to`, put there in one rename. Files and other links in its place are replaced, a
 * directory is an error.
 *
 * @throws KraftError where the path is not absolute.
 * @example link({ path: '/etc/service/web', to: '/etc/sv/web' })
 */
export function link(given: {
  readonly path: string
  readonly to: string
  readonly notify?: readonly Handler[]
}): readonly Step[] {
  const { path, to, notify } = given
  absolute('link', path)
  return [
    {
      title: `Link ${path} -> ${to}`,
      check: sh`test -L ${path} && test "$(readlink ${path})" = ${to}`,
      apply: sh`
        if [ -d ${path} ] && [ ! -L ${path} ]; then printf '%s is a directory: remove it first\n' ${path}; exit 1; fi
        new=$(mktemp -u ${posix.dirname(path)}/.${posix.basename(path)}.kraft-XXXXXXXX)
        trap 'rm -f "$new"' EXIT
        ln -s -- ${to} "$new"
        mv -fT "$new" ${path}
        trap - EXIT
      `,
      diff: sh`printf '%s -> %s, was %s\n' ${path} ${to} "$(readlink ${path} || echo no link)"`,
      ...(notify === undefined ? {} : { notify }),
    },
  ]
}

/**
 * Nothing at this path. A directory goes with all that is in it, but other file systems mounted below stay.
 *
 * @throws KraftError where the path is not absolute, or `/` or one of its children.
 * @example absent('/etc/nginx/sites-enabled/default', { notify: [reloadNginx] })
 */
export function absent(path: string, { notify }: { readonly notify?: readonly Handler[] } = {}): readonly Step[] {
  absolute('absent', path)
  if (path.split('/').length < 3) {
    throw new KraftError({ kind: 'task', message: `absent: ${path} is too much to remove`, next: 'Name something inside it' })
  }
  return [
    {
      title: `No ${path}`,
      check: sh`test ! -e ${path} && test ! -L ${path}`,
      apply: sh`rm -rf --one-file-system -- ${path}`,
      diff: sh`printf 'remove %s\n' ${path}`,
      ...(notify === undefined ? {} : { notify }),
    },
  ]
}

function absolute(recipe: string, path: string): void {
  if (path.startsWith('/') && posix.normalize(path) === path && (path === '/' || !path.endsWith('/'))) return
  throw new KraftError({
    kind: 'task',
    message: `${recipe}: "${path}" is not a plain absolute path`,
    next: 'Begin it with / and leave out "..", "//" and a slash at its end',
  })
}

function owned({ owner = 'root', group = 'root', mode = '0644' }: Ownership) {
  if (!/^[0-7]{3,4}$/.test(mode)) {
    throw new KraftError({ kind: 'task', message: `"${mode}" is not an octal mode`, next: 'Write it as chmod does, e.g. 0644' })
  }
  return { owner, group, mode, stat: `${owner}:${group}:${Number.parseInt(mode, 8).toString(8)}` }
}

function metadataDiff(path: string, stat: string): Sh {
  return sh`if [ -e ${path} ] && [ "$(stat -c '%U:%G:%a' ${path})" != ${stat} ]; then printf '%s: %s becomes %s\n' ${path} "$(stat -c '%U:%G:%a' ${path})" ${stat}; fi`
}
