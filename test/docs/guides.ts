import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../../docs/guides', import.meta.url))

/** The pages that `npm run test:docs` runs, by their paths in the repository. */
export const guides = (existsSync(folder) ? readdirSync(folder) : [])
  .filter((name) => name.endsWith('.md'))
  .sort()
  .map((name) => `docs/guides/${name}`)
