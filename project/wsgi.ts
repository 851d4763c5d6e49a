import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { KraftError } from '../engine/errors/failure.js'
import { nearest } from '../engine/errors/nearest.js'
import type { Instance } from './instance.js'
import { settingPlace } from './setting-place.js'

// What a module has may then be written in no file of it.
const dynamic = /import \*|\b(?:globals|locals|vars|exec|eval|setattr)\(|__getattr__|sys\.modules/

/**
 * Throws `setting` for a `wsgi:` that the files of the project show to be wrong: a package that has no such module, a module without
 * that name in it. What the project does not have comes from PyPI, and only a node can tell.
 */
export function refuseMissing(instance: Instance, requires: ReadonlySet<string>): void {
  const { settings, folder } = instance
  const { wsgi, src } = settings
  if (wsgi === undefined) return
  const roots = [folder, ...(src === undefined ? [] : [join(folder, src)])]
  const [module = '', callable = ''] = wsgi.split(':')
  const problem = (message: string, better: string | undefined) =>
    new KraftError({
      kind: 'setting',
      place: settingPlace(instance, ['wsgi']),
      message,
      next:
        better === undefined
          ? 'Name the callable as it is imported, for example: wsgi: shop.wsgi:application'
          : `Perhaps: wsgi: ${better}`,
    })
  const parts = module.split('.')
  let above = roots
  for (const [index, part] of parts.entries()) {
    const found = above.filter((path) => has(path, part))
    if (found.length > 0) {
      above = found.map((path) => join(path, part))
      continue
    }
    const names = above.flatMap(modulesIn)
    const near = nearest(part, names)
    const better = near === undefined ? undefined : `${parts.with(index, near).join('.')}:${callable}`
    const fromIndex = requires.has((parts[0] ?? '').toLowerCase().replaceAll('_', '-'))
    // A folder that is no package gives way to a package of PyPI.
    if (fromIndex && !above.some((path) => existsSync(join(path, '__init__.py')))) return
    // The first part may be such a package, but hardly so where one letter makes all of it the project's own.
    if (index > 0) throw problem(`There is no module ${parts.slice(0, index + 1).join('.')} in the project`, better)
    if (better === undefined || !isWhole(roots, better)) return
    throw problem(`There is no module ${part} in the project`, better)
  }
  const file = above.flatMap((path) => [`${path}.py`, join(path, '__init__.py')]).find((path) => existsSync(path))
  const name = callable.split(/[.(]/)[0] ?? ''
  const text = file === undefined ? '' : readFileSync(file, 'utf8')
  if (file === undefined || says(text, name) || dynamic.test(text)) return
  const known = [...text.matchAll(/^(?:async\s+)?(?:def\s+|class\s+)?([A-Za-z_]\w*)(?=\s*[=:(])/gm)].flatMap(
    ([, word]) => word ?? [],
  )
  const near = nearest(name, known) ?? known.find((word) => /^(application|app)$/.test(word))
  throw problem(`${file.slice(folder.length + 1)} has no "${name}"`, near === undefined ? undefined : `${module}:${near}`)
}

function isWhole(roots: readonly string[], wsgi: string): boolean {
  const [module = '', callable = ''] = wsgi.split(':')
  const file = `${module.replaceAll('.', '/')}.py`
  return roots.some(
    (root) => existsSync(join(root, file)) && says(readFileSync(join(root, file), 'utf8'), callable.split(/[.(]/)[0] ?? ''),
  )
}

function says(text: string, name: string): boolean {
  return new RegExp(`\\b${name}\\b`).test(text)
}

/** Whether a folder has a module or a package of a name, also a compiled one. */
function has(folder: string, name: string): boolean {
  return modulesIn(folder).includes(name)
}

function modulesIn(folder: string): readonly string[] {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) return []
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const [, module] = /^([A-Za-z_]\w*)(?:\..*)?\.(?:py|pyc|pyx|so|pyd)$/.exec(entry.name) ?? []
    return module ?? (entry.isFile() ? [] : [entry.name])
  })
}
