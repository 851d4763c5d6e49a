import { expect, test } from 'vitest'
import { developerEnviron, type EnvironParts, whoSaid } from '../../../tasks/dev/environ.js'

const parts: EnvironParts = {
  project: {
    folder: '/home/ada/shop',
    name: 'shop-stage',
    environment: 'stage',
    src: undefined,
    aliases: ['shop.example.com'],
    staticUrl: '/static/',
  },
  shell: { PATH: '/usr/bin', HOME: '/home/ada', EMPTY: undefined },
  dotenv: {},
  settings: {},
  services: { DATABASE_URL: 'postgresql://ada@/shop?host=/tmp' },
  framework: { DJANGO_SETTINGS_MODULE: 'shop.settings' },
  virtualenv: '/home/ada/shop/.venv',
  programs: '/cache/bin',
  collected: '/cache/static',
}

test('an application finds here what it finds on a node, with DEBUG on', () => {
  expect(developerEnviron(parts)).toEqual({
    PYTHONUNBUFFERED: '1',
    DOMAIN: 'localhost',
    ALLOWED_HOSTS: 'localhost,.localhost,127.0.0.1,[::1],shop.example.com',
    STATIC_URL: '/static/',
    STATIC_ROOT: '/cache/static',
    SECRET_KEY: expect.stringContaining('insecure'),
    DATABASE_URL: 'postgresql://ada@/shop?host=/tmp',
    DJANGO_SETTINGS_MODULE: 'shop.settings',
    DEBUG: '1',
    HOME: '/home/ada',
    KRAFT_NAME: 'shop-stage',
    KRAFT_ENV: 'stage',
    KRAFT_RELEASE: 'dev',
    VIRTUAL_ENV: '/home/ada/shop/.venv',
    PATH: '/cache/bin:/home/ada/shop/.venv/bin:/usr/bin',
    PYTHONPATH: '/home/ada/shop',
  })
})

test('the shell wins over .env, that over kraftwerk.yaml, and that over what kraft gives', () => {
  const said = {
    settings: { DOMAIN: 'yaml', STATIC_URL: 'yaml', SECRET_KEY: 'yaml' },
    dotenv: { STATIC_URL: 'dotenv', SECRET_KEY: 'dotenv', DATABASE_URL: 'dotenv' },
    shell: { SECRET_KEY: 'shell', KRAFT_NAME: 'shell', PYTHONPATH: '/mine' },
  }
  expect(developerEnviron({ ...parts, ...said, project: { ...parts.project, src: 'src' } })).toMatchObject({
    DOMAIN: 'yaml',
    STATIC_URL: 'dotenv',
    DATABASE_URL: 'dotenv',
    SECRET_KEY: 'shell',
    KRAFT_NAME: 'shop-stage',
    PYTHONPATH: '/home/ada/shop/src:/home/ada/shop:/mine',
  })
  expect(['SECRET_KEY', 'DATABASE_URL', 'DOMAIN', 'OTHER'].map((name) => whoSaid(name, said))).toEqual([
    'your shell',
    '.env',
    'kraftwerk.yaml',
    undefined,
  ])
})

test('DEBUG is on in the words in which kraftwerk.yaml says that it is off; .env has its own mind', () => {
  const debug = (settings: EnvironParts['settings'], dotenv = {}) => developerEnviron({ ...parts, settings, dotenv }).DEBUG
  expect(['False', 'off', '0', '', 'verbose'].map((DEBUG) => debug({ DEBUG }))).toEqual(['True', 'on', '1', '1', 'verbose'])
  expect(debug({}, { DEBUG: '0' })).toBe('0')
})
