import { describe, test } from 'vitest'
import { type Case, check, inFolders, project, stage, wsgi, yaml } from './refused.fixture.js'

inFolders()

describe.concurrent('says where a setting is wrong, why and what next', () => {
  test.each<Case>([
    [
      'deploy',
      yaml(`${wsgi}doman: x.org`),
      2,
      'error: HERE/kraftwerk.yaml:2:1: Unknown key "doman". Did you mean "domain"?\nnext:  Known here: version, ',
    ],
    [
      'run:one -- true',
      yaml('wrokers: 2'),
      255,
      'error: HERE/kraftwerk.yaml:1:1: Unknown key "wrokers". Did you mean "workers"?',
    ],
    [
      'deploy',
      yaml('environments:\n  stage: { doman: x.org }'),
      2,
      'error: HERE/kraftwerk.yaml:2:12: Unknown key "doman". Did you mean "domain"?',
    ],
    [
      'deploy',
      yaml('health: { pth: / }'),
      2,
      'error: HERE/kraftwerk.yaml:1:11: The key "pth" in "health" should be one of path, status, timeout, tries. Did you mean "path"?',
    ],
    [
      'deploy',
      yaml('workers: four'),
      2,
      'error: HERE/kraftwerk.yaml:1:10: "workers" should be a number, not "four"\nnext:  For example: workers: 4',
    ],
    [
      'deploy',
      yaml('wsgi: shop'),
      2,
      'error: HERE/kraftwerk.yaml:1:7: "wsgi" should be module.module:callable, as in calculator.wsgi:application, not "shop"',
    ],
    ['deploy', yaml('wsgi: [a\nworkers: 3'), 2, 'error: HERE/kraftwerk.yaml:1:7: This is not YAML: a list is opened here'],
    [
      'deploy',
      yaml('environ:\n\tA: 1'),
      2,
      'error: HERE/kraftwerk.yaml:2:1: This is not YAML: Tabs are not allowed as indentation\nnext:  Indent with spaces',
    ],
    [
      'deploy',
      yaml('workers: 1\nworkers: 2'),
      2,
      'error: HERE/kraftwerk.yaml:2:1: This key is here twice: "workers"\nnext:  Keep one of the two',
    ],
    ['deploy', yaml('services: [files, postgress]'), 2, 'error: HERE/kraftwerk.yaml:1:19: Item 2 of "services" should be '],
    ['deploy', yaml('services: [postgress]'), 2, 'Did you mean "postgres"?'],
    ['deploy', yaml('- wsgi'), 2, 'error: HERE/kraftwerk.yaml:1:1: This file should be a map of keys to values'],
    ['deploy', { 'kraftwerk.yaml/x': '' }, 2, 'error: HERE/kraftwerk.yaml: This file cannot be read: it is a folder'],
    ['deploy', yaml(''), 2, 'error: deploy needs a node, and there is none yet'],
    [
      'deploy:stage',
      project(`${wsgi}environments: { stage: }`),
      2,
      'error: HERE/kraftwerk.yaml:2:17: The environment stage has no nodes\nnext:  Add them, for example: nodes: [one]',
    ],
    [
      'deploy:stage',
      project(`${wsgi}environments: { stage: { nodes: [onne] } }`),
      2,
      'error: HERE/kraftwerk.yaml:2:34: The node onne is not known. Did you mean "one"?\nnext:  Make it: kraft provision onne, or name one that there is: one, two',
    ],
    [
      'deploy:stage',
      project('environments: { stage: { nodes: [one] } }'),
      2,
      'error: HERE/kraftwerk.yaml: "wsgi" is missing, and no framework was found that tells it\nnext:  Add the callable, for example: wsgi: calculator.wsgi:application',
    ],
    [
      'deploy:stage',
      { ...project(stage), 'nodes.yaml': 'one: { provider: local, adress: x, user: root, host_keys: [] }' },
      2,
      'error: HERE/nodes.yaml:1:25: Unknown key "adress". Did you mean "address"?',
    ],
    [
      'deploy',
      { ...yaml(''), '../.kraftwerk.yaml': 'providr: local' },
      2,
      '/.kraftwerk.yaml:1:1: Unknown key "providr". Did you mean "provider"?',
    ],
  ])('for a mistake in the settings: kraft %s with %j', check)
})
