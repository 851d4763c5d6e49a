import { domainToASCII } from 'node:url'
import * as v from 'valibot'
import type { Section } from '../engine/config/section.js'
import { backupSchema } from './backup-schema.js'
import { cacheSchema } from './cache-schema.js'
import { dataKeys } from './data-keys.js'
import { healthSchema } from './health-schema.js'
import { httpsSchema } from './https-schema.js'
import { indexSchema } from './index-schema.js'
import { instanceNameProblem, word } from './name.js'
import { nodeName, nodesSchema } from './nodes-schema.js'
import { notifications } from './notify.js'
import { apart, inside } from './path-schema.js'
import { programKeys } from './program-keys.js'
import { protectSchema } from './protect-schema.js'
import { orReference } from './reference-schema.js'
import { serviceSchema } from './service-schema.js'
import { size } from './size-schema.js'
import { staticBucketSchema } from './static-bucket-schema.js'
import { superusersSchema } from './superusers-schema.js'
import { listOf, sane, text, whole } from './value-schema.js'

const domain = v.pipe(
  text,
  v.transform((value) => domainToASCII(value)),
  v.regex(
    /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/,
    'a domain, as in www.example.com',
  ),
)

const requirement = v.pipe(
  v.string(),
  sane((value) => {
    if (value.startsWith('-')) return 'names of packages (options of pip belong into requirements.txt)'
    if (/^[=<>!~;,@]/.test(value)) return 'packages with no space before the version, as in "django>=5"'
    return /[\0\n\r]/.test(value) ? 'on one line' : undefined
  }),
)

const debianPackage = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9][a-z0-9+.-]+(:[a-z0-9]+)?(=[\w.+:~-]+)?$/, 'the name of a Debian package, as in libmagic1'),
)

const command = v.pipe(
  text,
  v.check((value) => !value.includes('\0'), 'one command'),
)

const staticUrl = v.pipe(
  v.string(),
  v.regex(
    /^\/([A-Za-z0-9_~-][A-Za-z0-9._~-]*\/)+$/,
    'a path on the site with a slash at both ends, as in /static/ (a host is `cdn`)',
  ),
  v.check((value) => !value.startsWith('/uploads/'), 'something else than the path of the uploads'),
)
const environName = v.pipe(v.string(), v.regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'letters, digits and _ in its name'))
const environValue = v.pipe(
  v.union([v.string(), v.number(), v.boolean()]),
  v.transform(String),
  v.check((value) => !value.includes('\0'), 'text without NUL bytes'),
)

/** The names of what comes in kinds, where settings can name it. */
export interface Named {
  readonly services: readonly string[]
  readonly vaults: readonly string[]
}

/** What an environment may override: everything that a project can say about an instance. */
export function instanceSection(known: Named) {
  return {
    name: {
      schema: v.optional(v.pipe(v.string(), sane(instanceNameProblem))),
      doc: 'Name of the instance: its user, database and folder on the node. Default: the project folder',
      example: 'calculator',
    },
    domain: { schema: v.optional(domain), doc: 'Domain that the site answers to', example: 'calculator.example.com' },
    aliases: {
      schema: v.optional(listOf(domain), []),
      doc: 'More domains; each redirects to `domain`',
      example: ['www.calculator.example.com'],
    },
    https: {
      schema: v.optional(httpsSchema),
      doc: 'HTTPS: auto gets certificates by itself, false is none; a map names own files or says more (docs/https.md)',
      example: 'auto',
    },
    wsgi: {
      schema: v.optional(
        v.pipe(
          v.string(),
          v.regex(
            /^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*(\(\))?$/,
            'module.module:callable, as in calculator.wsgi:application',
          ),
        ),
      ),
      doc: 'The WSGI callable as module.module:callable, or with () the factory that makes it',
      example: 'calculator.wsgi:application',
    },
    workers: { schema: v.optional(whole(1, 64), 2), doc: 'Worker processes that answer requests', example: 4 },
    threads: { schema: v.optional(whole(1, 256)), doc: 'Threads in each worker', example: 8 },
    packages: {
      schema: v.optional(listOf(requirement), []),
      doc: 'Python packages to install, besides requirements.txt or pyproject.toml',
      example: 'django psycopg[binary]',
    },
    index: {
      schema: v.optional(indexSchema(known.vaults), []),
      doc: 'Where Python packages come from instead of PyPI: an address, or url, user and password; a list: the first that has a package',
      example: { url: 'https://pypi.example.com/simple', user: 'deploy', password: { op: 'op://shop/pypi/token' } },
      quiet: 0,
    },
    apt: { schema: v.optional(listOf(debianPackage), []), doc: 'Debian packages to install', example: ['libmagic1'] },
    services: {
      schema: v.optional(v.array(serviceSchema(known.services)), []),
      doc: 'Data and I/O that the project asks for',
      example: ['postgres', 'files'],
      quiet: 2,
    },
    backup: {
      schema: v.optional(backupSchema(known.vaults)),
      doc: 'Backups that the node makes by itself, in S3: schedule, endpoint, region, bucket, prefix, access_key, secret_key, keep (daily, weekly, monthly), encrypt (age keys), notify; false for none, see [Backups](backup.md)',
      example: {
        endpoint: 'https://s3.example.com',
        bucket: 'calculator-backups',
        access_key: 'AKIAEXAMPLE',
        secret_key: { op: 'op://shop/s3/secret' },
      },
      quiet: 1,
    },
    shared: { schema: v.optional(apart, []), doc: 'Paths in the project that outlive releases', example: ['media'] },
    environ: {
      schema: v.optional(v.record(environName, orReference(known.vaults, environValue)), {}),
      doc: 'Environment variables of the application: values, or where a vault has them',
      example: { DJANGO_SETTINGS_MODULE: 'calculator.settings', API_KEY: { op: 'op://shop/stripe/key' } },
      quiet: 0,
    },
    package: {
      schema: v.optional(v.pipe(v.string(), v.regex(/^[A-Za-z_]\w*$/, 'the name of a Python package'))),
      doc: 'The Python package of the project',
      example: 'calculator',
    },
    src: { schema: v.optional(inside), doc: 'Folder that holds the package', example: 'src' },
    python: {
      schema: v.optional(v.pipe(v.string(), v.regex(/^(python)?3(\.\d{1,2})?$/, 'a version of Python in quotes, as in "3.12"'))),
      doc: "Python version, in quotes. Default: the node's own",
      example: '3.12',
    },
    release: {
      schema: v.optional(
        v.union([
          v.literal(false),
          v.pipe(
            command,
            v.check((value) => !/^(no|none|off|never)$/i.test(value), 'a command, or false for none'),
          ),
        ]),
      ),
      doc: 'Command that runs once before a new release serves; false for none. Default: what the framework does (Django migrates)',
      example: 'manage.py migrate --noinput',
    },
    health: {
      schema: v.optional(healthSchema, {}),
      doc: 'What a new release must answer before it serves: a path, or path, status, timeout (seconds a try) and tries',
      example: { path: '/health', status: [200], timeout: 10, tries: 30 },
    },
    max_body: { schema: v.optional(size, '100 MB'), doc: 'Largest upload', example: '100 MB' },
    timeout: { schema: v.optional(whole(1, 3600), 30), doc: 'Seconds that a request may take', example: 30 },
    static_url: { schema: v.optional(staticUrl, '/static/'), doc: 'Where static files are served', example: '/assets/' },
    cdn: {
      schema: v.optional(domain),
      doc: 'Host of a CDN that fetches static files from this site (or from `static_bucket`) and hands them out',
      example: 'cdn.example.com',
    },
    static_bucket: {
      schema: v.optional(staticBucketSchema(known.vaults)),
      doc: 'S3 that a deploy sends static files to, for `cdn` to take them from: endpoint, region, bucket, prefix, access_key, secret_key, public, prune (days); false for none, see [Static files](static.md)',
      example: {
        endpoint: 'https://s3.example.com',
        bucket: 'calculator-static',
        access_key: 'AKIAEXAMPLE',
        secret_key: { op: 'op://shop/s3/secret' },
      },
      quiet: 1,
    },
    cache: {
      schema: v.optional(cacheSchema, {}),
      doc: 'What browsers and nginx may keep, by path, see [Static files](static.md)',
      example: { '/': { nginx: '1m' }, '/news/*.html': { browser: '10m' } },
    },
    protect: {
      schema: v.optional(protectSchema),
      doc: 'A password before the site and no search engines: user, password (or its hash), noindex, except (paths), allow (addresses); false for none',
      example: { user: 'preview', password: 'at least 8 characters', except: ['/hooks/'] },
      quiet: 1,
    },
    drain: {
      schema: v.optional(whole(1, 3600)),
      doc: 'Seconds that old processes get to finish what they have begun. Default: timeout',
      example: 30,
    },
    keep: { schema: v.optional(whole(1, 1000), 5), doc: 'Releases that stay on a node', example: 5 },
    superusers: {
      schema: v.optional(superusersSchema, []),
      doc: 'Accounts that the first deploy creates in a Django project, with a password that it shows once',
      example: [{ username: 'ada', email: 'ada@example.com' }],
    },
    notify: {
      schema: v.optional(notifications, []),
      doc: 'Who is told how a deploy or rollback ended: `webhook` (an address that gets JSON, and is never printed) or `command` (run here), `on` success, failure or both',
      example: [{ webhook: 'https://chat.example.com/hooks/1' }, { command: 'notify-send "$KRAFT_TEXT"', on: ['failure'] }],
      quiet: 1,
    },
    ...programKeys({ command, size, whole }),
    ...dataKeys({ command }),
  } satisfies Section
}

/** One environment: overrides, and where it lives. */
export function environmentSection(known: Named) {
  return {
    ...instanceSection(known),
    nodes: {
      schema: v.optional(nodesSchema, []),
      doc: 'Its nodes: a list where each has every role, or role by role',
      example: { web: ['a', 'b'], db: ['c'] },
    },
    live: { schema: v.optional(v.boolean(), false), doc: 'True: tasks that lose data ask for its name first', example: true },
  } satisfies Section
}

const environmentName = v.pipe(
  v.string(),
  v.regex(word, 'named in small letters'),
  v.notValue('all', 'named something else: all means every node'),
)

/** kraftwerk.yaml. */
export function projectSection(known: Named) {
  return {
    version: {
      schema: v.optional(v.literal(1, '1, the version of this format that this kraft knows'), 1),
      doc: 'Version of this format',
      example: 1,
    },
    ...instanceSection(known),
    environments: {
      schema: v.optional(v.record(environmentName, v.nullable(v.record(v.string(), v.unknown()))), {}),
      doc: 'Where the project lives: overrides of everything here, with nodes',
      example: { stage: { name: 'calculator-stage', domain: 'stage.example.com', nodes: ['one'] } },
    },
    default_node: { schema: v.optional(nodeName), doc: 'Node for tasks that were given no target', example: 'one' },
  } satisfies Section
}
