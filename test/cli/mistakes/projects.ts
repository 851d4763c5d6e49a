import type { Mistake } from './mistake.js'

const wsgi = 'wsgi: shop.wsgi:application\n'
/** An environment on the node one, whose only mistakes are those of this text. */
const stage = (text: string) => `${wsgi}environments:\n  stage: { nodes: [one] }\n${text}\n`

/** What only shows where the parts of a project are seen together. */
export const projectMistakes: readonly Mistake[] = [
  {
    what: 'an environment without nodes',
    text: `${wsgi}environments:\n  stage:`,
    at: '3:3',
    says: 'The environment stage has no nodes',
    next: 'for example: nodes: [one]',
  },
  {
    what: 'a node that is not there',
    text: `${wsgi}environments:\n  stage:\n    nodes:\n      - one\n      - tow`,
    at: '6:9',
    says: 'The node tow is not known. Did you mean "two"?',
    next: 'kraft provision tow',
  },
  {
    what: 'a role that nobody has',
    text: `${wsgi}environments:\n  stage: { nodes: { wbe: [one] } }`,
    at: '3:21',
    says: 'Did you mean "web"?',
    next: 'web',
  },
  {
    what: 'one name twice on a node',
    text: stage('  live: { nodes: [one] }'),
    at: '4:3',
    says: 'stage and live are both called "shop" on the node one',
    next: 'name: shop-live',
  },
  {
    what: 'one domain twice on a node',
    text: `domain: a.example.com\n${stage('  live: { name: shop-live, nodes: [one] }')}`,
    at: '5:3',
    says: 'stage and live both answer to a.example.com on the node one',
    next: 'domain: ',
  },
  {
    what: 'a default node that is not there',
    text: `${wsgi}default_node: onne`,
    at: '2:15',
    says: 'Did you mean "one"?',
    next: 'kraft provision onne',
  },
  {
    what: 'a module that is not there',
    text: `wsgi: shop.wsgii:application\nenvironments: { stage: { nodes: [one] } }`,
    at: '1:7',
    says: 'shop.wsgii',
    next: 'Perhaps: wsgi: shop.wsgi:application',
    files: { 'shop/__init__.py': '', 'shop/wsgi.py': 'application = None\n' },
  },
  {
    what: 'a callable that its module lacks',
    text: `wsgi: shop.wsgi:app\nenvironments: { stage: { nodes: [one] } }`,
    at: '1:7',
    says: 'shop/wsgi.py has no "app"',
    next: 'Perhaps: wsgi: shop.wsgi:application',
    files: { 'shop/__init__.py': '', 'shop/wsgi.py': 'application = None\n' },
  },
  {
    what: 'HTTPS without a domain',
    text: `https: auto\n${stage('')}`,
    at: '1:8',
    says: '"https" needs a domain',
    next: 'domain: shop.example.com',
  },
  {
    what: 'a backup without its bucket',
    text: `backup: { endpoint: "https://s3.example.com" }\n${stage('')}`,
    at: '1:1',
    says: '"backup" lacks bucket',
    next: 'For example: backup: {',
  },
  {
    what: 'files on two nodes',
    text: `${wsgi}services: [files]\nenvironments: { stage: { nodes: [one, two] } }`,
    at: '3:33',
    says: 'would be separate on each of the 2 nodes',
    next: 'Give the environment one node',
  },
]
