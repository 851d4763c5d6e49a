import * as v from 'valibot'
import { sane } from './value-schema.js'

const version = String.raw`\s*(?:===?|~=|!=|<=?|>=?)\s*[\w.*+!-]+`
/** A name of PyPI with what may stand behind it, as PEP 508 has it, and options that pip takes for one package (`--hash=…`). */
const named = new RegExp(
  String.raw`^[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?\s*(?:\[[\w.,\s-]*\])?\s*\(?(?:${version}(?:\s*,${version})*)?\s*\)?\s*(?:;.*)?(?:\s+--[\w-]+=\S+)*$`,
)

/** One package, ready for pip: what pip would refuse on the node is refused here. */
export const requirement = v.pipe(
  v.string(),
  sane((value) => {
    if (value.startsWith('-')) return 'names of packages (options of pip belong into requirements.txt)'
    if (/^[=<>!~;,@]/.test(value)) return 'packages with no space before the version, as in "django>=5"'
    if (/[\0\n\r]/.test(value)) return 'on one line'
    // An address, a path or a file is pip's to understand.
    if (/[/@\\]|^\.|\.(?:whl|zip|tar\.\w+)$/.test(value)) return undefined
    return named.test(value) ? undefined : 'a package with its version, as in "django>=5"'
  }),
)
