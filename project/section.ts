import { domainToASCII } from 'node:url'
import * as v from 'valibot'
import type { Section } from '../engine/config/section.js'
import { backupSchema } from './backup-schema.js'
import { cacheSchema } from './cache-schema.js'
import { dataKeys } from './data-keys.js'
import { httpsSchema } from './https-schema.js'
import { indexSchema } from './index-schema.js'
import { instanceNameProblem, word } from './name.js'
import { notifications } from './notify.js'
import { programKeys } from './program-keys.js'
import { protectSchema } from './protect-schema.js'
import { orReference } from './reference-schema.js'
import { serviceSchema } from './service-schema.js'
import { size } from './size-schema.js'
import { superusersSchema } from './superusers-schema.js'

const text = v.pipe(v.string(), v.trim(), v.nonEmpty('some text'))
const whole = (least: number, most: number) =>
  v.pipe(v.number(), v.integer('a whole number'), v.minValue(least, `at least ${least}`), v.maxValue(most, `at most ${most}`))

/** Makes a schema of a function that says what is wrong, so that the message can quote the value. */
const sane = (wrong: (value: string) => string | undefined) =>
  v.rawCheck<string>(({ dataset, addIssue }) => {
    const message = dataset.typed ? wrong(dataset.value) : undefined
    if (message !== undefined) addIssue({ message })
  })

const listOf = <S extends v.GenericSchema<string, string>>(item: S) =>
  v.lazy((input): v.GenericSchema<unknown, string[]> => (typeof input === 'string' ? single(item) : v.array(item)))
const single = (item: v.GenericSchema<string, string>): v.GenericSchema<unknown, string[]> =>
  v.pipe(
    v.string(),
    v.transform((value) => value.split(/\s+/).filter((part) => part !== '')),
    v.array(item),
  )

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

const inside = v.pipe(
  text,
  v.transform((value) => value.replace(/^(\.\/+)+/, '').replace(/\/+$/, '')),
  sane((value) => {
    if (value.startsWith('/') || value.startsWith('~')) return 'a path inside the project'
    if (value === '' || value === '.') return 'a path below the project, not all of it'
    if (value.split('/').some((part) => part === '..' || part === '' || part === '.')) return 'a plain path with no ".." in it'
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not come through.
    return /[\x00-\x1f\x7f\\]/.test(value) ? 'a path of printable characters' : undefined
  }),
)

// What is made inside a shared path is the application's to change, so root makes no link there.
const apart = v.pipe(
  v.array(inside),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return
    const outer = dataset.value.find((path) => dataset.value.some((other) => other.startsWith(`${path}/`)))
    if (outer !== undefined) addIssue({ message: `paths that are apart: "${outer}" holds another one of them already` })
  }),
)

const command = v.pipe(
  text,
  v.check((value) => !value.includes('\0'), 'one command'),
)

const urlPath = v.pipe(v.string(), v.regex(/^\/[!-~]*$/, 'a path on the site, as in /health'))
const staticUrl = v.pipe(
  v.string(),
  v.regex(
    /^\/([A-Za-z0-9_~-][A-Za-z0-9._~-]*\/)+$/,
    'a path on the site with a slash at both ends, as in /static/ (a host is `cdn`)',
  ),
  v.check((value) => !value.startsWith('/uploads/'), 'something else than the path of the uploads'),
)
const status = whole(100, 599)
const healthMap = v.pipe(
  // The list of keys comes first, so that a misspelt one gets its hint.
  v.record(v.picklist(['path', 'status', 'timeout', 'tries']), v.unknown()),
  v.object({
    path: v.exactOptional(v.pipe(urlPath, v.description('The page that is asked for'))),
    status: v.exactOptional(
      v.pipe(
        v.union([status, v.array(status)]),
        v.transform((value) => (typeof value === 'number' ? [value] : value)),
        v.description('The status of a right answer, or a list of them. Default: 200 to 399, 401, 403 and 404'),
      ),
    ),
    timeout: v.exactOptional(
      v.pipe(
        v.number(),
        v.gtValue(0, 'more than 0'),
        v.maxValue(600, 'at most 600'),
        v.description('Seconds that one try may take'),
      ),
    ),
    tries: v.exactOptional(v.pipe(whole(1, 1000), v.description('How often it is asked before the deploy fails'))),
  }),
)
const healthPath = v.pipe(
  urlPath,
  v.transform((path): v.InferOutput<typeof healthMap> => ({ path })),
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
      schema: v.optional(
        v.lazy(
          (input): v.GenericSchema<unknown, v.InferOutput<typeof healthMap>> =>
            typeof input === 'string' ? healthPath : healthMap,
        ),
        {},
      ),
      doc: 'What a new release must answer before it serves: a path, or path, status, timeout (seconds a try) and tries',
      example: { path: '/health', status: [200], timeout: 10, tries: 30 },
    },
    max_body: { schema: v.optional(size, '100 MB'), doc: 'Largest upload', example: '100 MB' },
    timeout: { schema: v.optional(whole(1, 3600), 30), doc: 'Seconds that a request may take', example: 30 },
    static_url: { schema: v.optional(staticUrl, '/static/'), doc: 'Where static files are served', example: '/assets/' },
    cdn: {
      schema: v.optional(domain),
      doc: 'Host of a CDN that fetches static files from this site and hands them out',
      example: 'cdn.example.com',
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

const nodeName = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'the name of a node'),
  v.notValue('all', 'the name of a node: all means every node'),
)
const nodeList = v.lazy(
  (input): v.GenericSchema<unknown, string[]> => (typeof input === 'string' ? single(nodeName) : v.array(nodeName)),
)

/** A node of an environment; without `roles` it has every role. */
export interface EnvironmentNode {
  readonly name: string
  readonly roles?: readonly string[]
}

const everyRole = v.pipe(
  nodeList,
  v.transform((names): EnvironmentNode[] => [...new Set(names)].map((name) => ({ name }))),
)
const byRole = v.pipe(
  v.record(v.pipe(v.string(), v.regex(word, 'a role in small letters')), nodeList),
  v.transform((map): EnvironmentNode[] => {
    const roles = new Map<string, string[]>()
    for (const [role, names] of Object.entries(map)) {
      for (const name of names) roles.set(name, [...(roles.get(name) ?? []), role])
    }
    return [...roles].map(([name, held]) => ({ name, roles: held }))
  }),
)

/** One environment: overrides, and where it lives. */
export function environmentSection(known: Named) {
  return {
    ...instanceSection(known),
    nodes: {
      schema: v.optional(
        v.lazy(
          (input): v.GenericSchema<unknown, EnvironmentNode[]> =>
            typeof input === 'object' && input !== null && !Array.isArray(input) ? byRole : everyRole,
        ),
        [],
      ),
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
