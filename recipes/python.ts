import type { Step } from '../engine/step/step.js'
import { apt } from './apt.js'

/** What projects need to make a virtualenv and to install the usual packages where PyPI has no wheel for the node: name to reason. */
export const pythonPackages: Readonly<Record<string, string>> = {
  python3: 'runs the project',
  'python3-venv': 'makes virtualenvs, with pip',
  'python3-dev': 'headers for every extension module',
  'build-essential': 'compilers for every extension module',
  'pkg-config': 'finds libraries; mysqlclient needs it',
  'ca-certificates': 'pip verifies PyPI by them',
  'libffi-dev': 'cffi, and so cryptography and argon2',
  'libssl-dev': 'cryptography, and psycopg with TLS',
  'libjpeg-dev': 'Pillow: JPEG',
  'zlib1g-dev': 'Pillow: PNG',
  'libfreetype-dev': 'Pillow: text in pictures',
  'libwebp-dev': 'Pillow: WebP',
  'libpq-dev': 'psycopg and psycopg2',
  'default-libmysqlclient-dev': 'mysqlclient',
}

/** Python with virtualenvs, and what Pillow, cryptography and the database drivers need to be built. */
export function python(): readonly Step[] {
  return apt(...Object.keys(pythonPackages))
}
