import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { parseYaml } from '../../engine/config/yaml.js'
import { formatPlace, type Place } from '../../engine/errors/failure.js'
import { isSecretive } from '../../engine/shell/secretive.js'
import { programOf } from '../../engine/ssh/installed.js'
import { readDotenv } from '../../project/dotenv.js'
import { askGit, inRepository } from '../../project/git.js'
import { isWrittenSecret } from '../../project/written-secret.js'
import type { Check } from './check.js'
import { type Finding, findingOf, wrong } from './finding.js'

/** The files of a project in which secrets are found lying, as git's patterns. */
const suspects = ['kraftwerk.yaml', 'nodes.yaml', '.env', '.env.*', '*.pem', '*.key', 'id_rsa', 'id_ecdsa', 'id_ed25519']
/** Bytes; what is larger is none of those. */
const largest = 1024 ** 2

/** Secrets in files that are committed. */
export const committed: Check = {
  name: 'committed',
  title: 'Secrets in git',
  async look({ session: { project } }) {
    const about = 'Secrets in git'
    if (project === undefined || programOf('git') === undefined) return []
    if (!(await inRepository(project.folder))) return [{ about, said: 'the project is in no repository', findings: [] }]
    const patterns = suspects.map((pattern) => `:(glob)**/${pattern}`)
    const { stdout } = await askGit(project.folder, ['ls-files', '-z', '--', ...patterns])
    const files = stdout
      .toString()
      .split('\0')
      .filter((file) => file !== '')
    const findings = await Promise.all(files.map((file) => secretsIn(project.folder, file)))
    return [{ about, said: 'none in the files that are looked at', findings: findings.flat() }]
  },
}

async function secretsIn(folder: string, path: string): Promise<readonly Finding[]> {
  const file = join(folder, path)
  // Committed, and not there now.
  const text = await readFile(file, 'utf8').catch(() => '')
  if (text.length > largest) return []
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) {
    return [wrong(`${file} is a private key, and committed`, `Make a new one, and keep it out of git: git rm --cached ${path}`)]
  }
  const name = basename(path)
  if (name.endsWith('.yaml')) return (await placesOfSecrets(text, file)).map((place) => committedSecret(formatPlace(place)))
  if (!name.startsWith('.env') || /\.(example|sample|template|dist)$/.test(name)) return []
  return dotenvSecrets(text, file)
}

function dotenvSecrets(text: string, file: string): readonly Finding[] {
  try {
    const names = [...readDotenv(Buffer.from(text))].filter(([key, value]) => isSecretive(key) && value.length > 0)
    return names.length === 0 ? [] : [committedSecret(`${file} (${names.map(([key]) => key).join(', ')})`)]
  } catch (error) {
    return [findingOf(error)]
  }
}

function committedSecret(where: string): Finding {
  const next = 'Change the secret, for git keeps the old one; then keep it on the node (kraft env:TARGET set NAME) or in a vault'
  return wrong(`A secret is committed: ${where}`, next)
}

/** Where secrets are written out in YAML: keys whose names say so, and passwords in addresses. A reference to a vault is none. */
export async function placesOfSecrets(text: string, file: string): Promise<readonly Place[]> {
  // What is no YAML is told where it is loaded.
  const yaml = await parseYaml(text, file).catch(() => undefined)
  if (yaml === undefined) return []
  const places: Place[] = []
  const walk = (value: unknown, path: readonly (string | number)[]): void => {
    if (Array.isArray(value)) for (const [index, each] of value.entries()) walk(each, [...path, index])
    else if (typeof value === 'object' && value !== null)
      for (const [key, each] of Object.entries(value)) walk(each, [...path, key])
    // What begins with $ is a hash.
    else if (isWrittenSecret(path.at(-1), value) && !String(value).startsWith('$')) places.push(yaml.place(path))
  }
  walk(yaml.value, [])
  return places
}
