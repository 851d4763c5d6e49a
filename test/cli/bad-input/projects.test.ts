import { describe, test } from 'vitest'
import { stringify } from 'yaml'
import { type Case, check, down, inFolders, project, stage } from './refused.fixture.js'

inFolders()

describe.concurrent('says why a project or its data are left alone, and what next', () => {
  test.each<Case>([
    ...['destroy', 'load old.bundle', 'terminate', 'restore'].map((line): Case => {
      const [task = ''] = line.split(' ')
      return [
        line,
        project(stage),
        2,
        `error: ${task} can lose data and never picks a target by itself\nnext:  Say where, for example: kraft ${task}:`,
      ]
    }),
    ...['destroy:stage', 'terminate:one', 'restore:one'].map((line): Case => {
      const [task = ''] = line.split(':')
      return [
        line,
        project(stage),
        2,
        `error: ${task} loses data and asks first, and there is no terminal to ask on\nnext:  If you mean it, add --yes`,
      ]
    }),
    ...['snapshot:one', 'snapshots:one', 'restore:one --yes'].map((line): Case => {
      const adopted = { one: { ...down, provider: 'static' } }
      return [
        line,
        { ...project(stage), 'nodes.yaml': stringify(adopted) },
        2,
        'error: The provider static keeps no snapshots of its nodes, so there are none of one\nnext:  To keep the data of a project: kraft dump',
      ]
    }),
  ])('where data could be lost: kraft %s', check)

  test.each<Case>([
    ['init class', {}, 2, `error: A project can't be called "class": it is a word of Python itself\nnext:  Take another name`],
    ['init 9lives', {}, 2, `error: A project can't be called "9lives": a name has two or more small letters`],
    ['init django', {}, 2, `error: A project can't be called "django": a package of this name is installed beside the project`],
    ['init root', {}, 2, `error: A project can't be called "root"`],
    [
      'init full',
      { 'full/x': '' },
      2,
      'error: The folder HERE/full is not empty: it has x\nnext:  Take another name, or move what is there.',
    ],
    ['init shop --template none', {}, 2, 'error: The template HERE/none is no folder with files in it\nnext:  Name a folder'],
    ['init shop --flask --wsgi', {}, 2, 'error: A project has one framework: flask or wsgi?\nnext:  Take one of --django'],
    ['init --flask', {}, 2, 'error: Without a NAME kraft looks at the project here'],
    ['init', {}, 2, 'error: There is no Python project in HERE: no .py file, no requirements\nnext:  Go to the folder'],
    ['init', project(stage), 2, 'error: HERE/kraftwerk.yaml is there already, and nothing was changed\nnext:  Change it by hand'],
    [
      'up:stag --dry-run',
      { 'shop/wsgi.py': 'application = 1\n', 'kraftwerk.yaml': stage },
      2,
      'error: There is no environment or node "stag". Did you mean "stage"?',
    ],
    [
      'up --dry-run',
      { 'app.py': '', 'kraftwerk.yaml': 'environments: { stage: { nodes: [one] } }\n' },
      2,
      'error: HERE/kraftwerk.yaml: "wsgi" is missing, and no framework was found that tells it',
    ],
    ['init shop --framework flsk', {}, 2, 'error: There is no skeleton "flsk". Did you mean "flask"?'],
  ])('for a project that cannot be: kraft %s', check)
})
