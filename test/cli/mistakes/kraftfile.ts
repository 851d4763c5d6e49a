import type { Mistake } from './mistake.js'

/** A mistake in a kraftfile. */
export interface KraftfileMistake extends Mistake {
  /** The file that is named, if it is another one. */
  readonly file?: string
}

const head = "import { after, before, option, series, task } from 'kraftwerk'\nimport { deploy } from 'kraftwerk/tasks'\n"
const run = 'run: ({ $ }) => $`true`'
/** A task on line 3, which begins in column 1. */
const declared = (text: string) => `${head}export const a = ${text}\n`
const with_ = (spec: string) => declared(`task({ ${spec} })`)

const loading: readonly KraftfileMistake[] = [
  { what: 'a bracket too few', text: with_('run: ( => 1'), at: '3:32', says: 'Syntax error', next: 'Correct this line' },
  { what: 'Python', text: 'from kraftwerk import task\n', at: '1:5', says: 'Syntax error', next: 'Correct this line' },
  {
    what: 'marks of a merge',
    text: `${head}<<<<<<< HEAD\nconst a = 1\n=======\nconst a = 2\n>>>>>>> theirs\n`,
    at: '3:1',
    says: 'conflict of a merge',
    next: 'Keep one of the two sides',
  },
  { what: 'UTF-16', text: Buffer.from(`\ufeff${with_(run)}`, 'utf16le'), at: '1:1', says: 'in UTF-16', next: 'Save it as UTF-8' },
  {
    what: 'no import',
    text: `export const a = task({ ${run} })\n`,
    at: '1:18',
    says: 'task is not defined',
    next: "import { task } from 'kraftwerk'",
  },
  {
    what: 'no import of a built-in task',
    text: "import { before, task } from 'kraftwerk'\nbefore(reload, task({ run() {} }))\n",
    at: '2:8',
    says: 'reload is not defined',
    next: "import { reload } from 'kraftwerk/tasks'",
  },
  {
    what: 'an import of a name that is none',
    text: "import { tasks } from 'kraftwerk'\nexport const a = tasks({ run() {} })\n",
    at: '2:18',
    says: `'kraftwerk' has no function "tasks". Did you mean "task"?`,
    next: 'Correct the name',
  },
  {
    what: 'an import from another file than it is in',
    text: "import { pad } from './pad.js'\nexport const a = pad\n",
    at: '1:21',
    says: 'Cannot find what it imports: "./pad.js"',
    next: "Perhaps: './pads.ts'",
    files: { 'pads.ts': 'export const pad = 1\n' },
  },
  {
    what: 'a package that is not installed',
    text: "import pad from 'left-pad-that-is-not'\nexport const a = pad\n",
    at: '1:17',
    says: 'Cannot find what it imports',
    next: 'npm install --save-dev left-pad-that-is-not',
  },
  {
    what: 'a recipe that is none',
    text: "import { apt } from 'kraftwerk/recipes/aptt'\nexport const a = apt\n",
    at: '1:21',
    says: 'Cannot find what it imports: "kraftwerk/recipes/aptt"',
    next: "Perhaps: 'kraftwerk/recipes/apt'",
  },
  {
    what: 'two files that import each other',
    text: `${head}import { b } from './b.js'\nexport const names = ['x']\nexport const a = b\n`,
    files: { 'b.ts': "import { names } from './kraftfile.js'\nexport const b = names.length\n" },
    file: 'b.ts',
    at: '2:24',
    says: 'This code failed',
    next: 'b.ts and kraftfile.ts import each other',
  },
  {
    what: 'code that throws',
    text: `${head}throw new Error('no luck')\n`,
    at: '3:7',
    says: 'This code failed: no luck',
    next: 'move it into the body of a task',
  },
  {
    what: 'code that throws a text',
    text: `${head}throw 'no luck'\n`,
    at: '3:1',
    says: 'This code failed: no luck',
    next: 'move it into the body of a task',
  },
  {
    what: 'another kraftfile beside it',
    text: with_(run),
    files: { 'kraftfile.js': '' },
    file: 'kraftfile.js',
    at: '1:1',
    says: 'kraftfile.js lies beside kraftfile.ts',
    next: 'Remove one of them',
  },
]

const declaring: readonly KraftfileMistake[] = [
  {
    what: 'a task that does nothing',
    text: with_("on: 'each'"),
    at: '3:18',
    says: 'this one has neither',
    next: 'Add one of them',
  },
  {
    what: 'a task with code and steps',
    text: with_(`${run}, steps: () => []`),
    at: '3:18',
    says: 'this one has both',
    next: 'Make two tasks of it',
  },
  {
    what: 'a command where code should be',
    text: with_("run: 'manage.py migrate'"),
    at: '3:18',
    says: 'run of a task is a function, not the text "manage.py migrate"',
    next: 'For example: run: (',
  },
  {
    what: 'a misspelt key',
    text: with_(`${run}, optoins: {}`),
    at: '3:18',
    says: 'A task has no "optoins". Did you mean "options"?',
    next: 'It can have on, run',
  },
  {
    what: 'on all nodes, by another word',
    text: with_(`${run}, on: 'eech'`),
    at: '3:18',
    says: `not the text "eech". Did you mean "each"?`,
    next: 'the first web node',
  },
  {
    what: 'steps of a task that has no node',
    text: with_("on: 'once', steps: () => []"),
    at: '3:18',
    says: 'has none of its own',
    next: "Say on: 'each'",
  },
  {
    what: 'no node at a time',
    text: with_(`${run}, on: 'each', parallel: 0`),
    at: '3:18',
    says: 'a whole number of nodes',
    next: 'parallel: 4',
  },
  {
    what: 'a need that is none',
    text: with_(`${run}, needs: 'node'`),
    at: '3:18',
    says: 'Did you mean "nodes"?',
    next: 'Left out',
  },
  {
    what: 'a type that is none',
    text: with_(`${run}, options: { hours: option({ type: 'int' }) }`),
    at: '3:68',
    says: `not the text "int"`,
    next: "type: 'number'",
  },
  {
    what: 'a default of another type',
    text: with_(`${run}, options: { hours: { type: 'number', default: '24' } }`),
    at: '3:18',
    says: `The default of the option "hours" is the text "24", and its type 'number'`,
    next: 'default: 24',
  },
  {
    what: 'a default that cannot be chosen',
    text: with_(`${run}, options: { area: { type: 'string', choices: ['home'], default: 'shop' } }`),
    at: '3:18',
    says: 'none of its choices: home',
    next: 'Add it to them',
  },
  {
    what: 'an option that every task has',
    text: with_(`${run}, options: { dryRun: { type: 'boolean' } }`),
    at: '3:14',
    says: 'every task has --dry-run',
    next: 'Give the option another name',
  },
  {
    what: 'a hook of a task by its name',
    text: `${head}before('deploy', task({ ${run} }))\n`,
    at: '3:1',
    says: 'before() takes tasks, and got the text "deploy"',
    next: "import { deploy } from 'kraftwerk/tasks'",
  },
  {
    what: 'a function as a hook',
    text: `${head}after(deploy, () => 1)\n`,
    at: '3:1',
    says: 'got a function',
    next: 'Make a task of it',
  },
  {
    what: 'a series without its help',
    text: declared('series(deploy, deploy)'),
    at: '3:18',
    says: 'a line of help before its tasks',
    next: 'For example: series(',
  },
  {
    what: 'an option of another task',
    text: declared("deploy.with({ fil: 'a' })"),
    at: '3:25',
    says: 'The task has no option "fil"',
    next: 'It has rev, codeOnly',
  },
  {
    what: 'a default export',
    text: `${head}export default task({ ${run} })\n`,
    at: '3:1',
    says: 'a default export has none',
    next: 'export const NAME = task(',
  },
  {
    what: 'a function with the name of a task',
    text: 'export function deploy() {}\n',
    at: '1:17',
    says: 'deploy is a function and no task',
    next: 'export const deploy = task(',
  },
  {
    what: "kraft's own name",
    text: `${head}export const help = task({ ${run} })\n`,
    at: '3:14',
    says: 'A task cannot be called help',
    next: 'another name',
  },
  {
    what: 'a name with a capital',
    text: `${head}export const ClearCache = task({ ${run} })\n`,
    at: '3:14',
    says: 'begins with a small letter',
    next: 'Perhaps: export const clearCache',
  },
  {
    what: 'two tasks by one name',
    text: `${head}const a = task({ ${run} })\nexport { a as clearCache, a as 'clear-cache' }\n`,
    at: '3:7',
    says: 'the second task that is called by: kraft clear-cache',
    next: 'another name',
  },
]

export const kraftfileMistakes: readonly KraftfileMistake[] = [...loading, ...declaring]
