import { describe, expect, it } from 'vitest'
import { parseArguments, parseWord } from '../../../engine/cli/parse.js'
import { option, requireOptions } from '../../../engine/task/option.js'
import { failureOf } from '../../rig/failure.js'

describe('a task with its targets', () => {
  it.each([
    ['deploy', 'deploy', []],
    ['deploy:stage', 'deploy', ['stage']],
    ['deploy:a,b.example.com,c_1', 'deploy', ['a', 'b.example.com', 'c_1']],
    ['deploy:a,a', 'deploy', ['a']],
    ['run:all', 'run', ['all']],
  ])('%s', (word, task, targets) => expect(parseWord(word)).toEqual({ task, targets }))

  it.each(['deploy:', 'deploy:a,', 'deploy:,a', 'deploy:a:b', ':stage', '', ':'])('%j is none', async (word) => {
    expect(await failureOf((async () => parseWord(word))())).toMatchObject({
      kind: 'usage',
      said: `"${word}" is not TASK or TASK:TARGET`,
    })
  })
})

const specs = {
  area: option({ type: 'string', positional: true, choices: ['home', 'shop'] }),
  days: option({ type: 'number', positional: true }),
  hours: option({ type: 'number', default: 24 }),
  file: option({ type: 'string' }),
  only: option({ type: 'string', many: true }),
  sizes: option({ type: 'number', many: true }),
  dropOld: option({ type: 'boolean' }),
}
const parse = (...args: string[]) => parseArguments('clear', specs, true, args)
const wrong = (...args: string[]) => failureOf((async () => parse(...args))())
const none = {
  'ask-password': false,
  'dry-run': false,
  yes: false,
  quiet: false,
  verbose: false,
  json: false,
  events: false,
  debug: false,
  help: false,
}

describe('arguments', () => {
  it('are none', () => expect(parse()).toEqual({ options: {}, globals: none, spread: {}, rest: [] }))

  it.each<[string, Record<string, unknown>]>([
    ['home', { area: 'home' }],
    ['home 3', { area: 'home', days: 3 }],
    ['shop -3', { area: 'shop', days: -3 }],
    ['shop -.5', { area: 'shop', days: -0.5 }],
    ['--hours 2', { hours: 2 }],
    ['--hours=2.5', { hours: 2.5 }],
    ['--hours -2', { hours: -2 }],
    ['--hours=-2', { hours: -2 }],
    ['--hours 1e3', { hours: 1000 }],
    ['--hours 1 --hours 2', { hours: 2 }],
    ['--only a --only=b', { only: ['a', 'b'] }],
    ['--sizes 1 --sizes -2', { sizes: [1, -2] }],
    ['--drop-old', { dropOld: true }],
    ['--file=', { file: '' }],
    ['--file=--odd', { file: '--odd' }],
    ['--file -', { file: '-' }],
    ['--file a=b', { file: 'a=b' }],
    ['home --hours 2 3', { area: 'home', hours: 2, days: 3 }],
  ])('%s', (line, options) => expect(parse(...line.split(' ')).options).toEqual(options))

  it('that every task has may stand anywhere', () => {
    const { globals, options } = parse('--json', 'home', '-y', '--dry-run', '--debug')
    expect(globals).toEqual({ ...none, json: true, yes: true, 'dry-run': true, debug: true })
    expect(options).toEqual({ area: 'home' })
    expect(parse('-h').globals.help).toBe(true)
    expect(parse('-q').globals.quiet).toBe(true)
    expect(parse('-v').globals.verbose).toBe(true)
  })

  it('behind -- reach the command untouched', () => {
    expect(parse('home', '--', '--json', '-y', '--', '', 'a b').rest).toEqual(['--json', '-y', '--', '', 'a b'])
    expect(parse('--').rest).toEqual([])
  })

  it('that are repeated without their names take all words', () => {
    const names = {
      first: option({ type: 'string', positional: true }),
      rest: option({ type: 'number', positional: true, many: true }),
    }
    expect(parseArguments('x', names, false, ['a', '1', '-2']).options).toEqual({ first: 'a', rest: [1, -2] })
  })

  it.each([
    ['--huors 2', 'clear has no option --huors. Did you mean "--hours"?'],
    ['--hour=2', 'clear has no option --hour. Did you mean "--hours"?'],
    ['--dropOld', 'clear has no option --dropOld. Did you mean "--drop-old"?'],
    ['--no-json', 'clear has no option --no-json. Did you mean "--json"?'],
    ['-x', 'clear has no option -x.'],
    ['-yx', 'clear has no option -x.'],
    ['--hours', '--hours needs a value'],
    ['--hours --json', '--hours needs a value; for "--json" write --hours=--json'],
    ['--file -y', '--file needs a value; for "-y" write --file=-y'],
    ['--hours two', '--hours is a number, got "two"'],
    ['--hours=', '--hours is a number, got ""'],
    ['--hours Infinity', '--hours is a number, got "Infinity"'],
    ['--sizes 1 --sizes x', '--sizes is a number, got "x"'],
    ['--drop-old=yes', '--drop-old takes no value, got "yes"'],
    ['--json=no', '--json takes no value, got "no"'],
    ['hoem', 'AREA is one of home, shop; got "hoem". Did you mean "home"?'],
    ['home x', 'DAYS is a number, got "x"'],
    ['home 3 more', 'clear does not know what to do with "more"'],
  ])('%s are wrong', async (line, said) => {
    expect(await wrong(...line.split(' '))).toEqual({ kind: 'usage', said, next: 'See: kraft help clear' })
  })

  it('that belong to another verb are wrong, with what they belong to', async () => {
    const verbs = {
      verb: option({ type: 'string', positional: true, choices: ['list', 'set'], default: 'list' }),
      names: option({ type: 'string', positional: true, many: true }),
      show: option({ type: 'boolean', verbs: ['list'] }),
      reload: option({ type: 'boolean', default: true, verbs: ['set'] }),
    }
    const typed = (...args: string[]) => parseArguments('env', verbs, false, args)
    expect(typed('--show').options).toEqual({ show: true })
    expect(typed('set', 'A=-', 'B=--x', '--no-reload').options).toEqual({ verb: 'set', names: ['A=-', 'B=--x'], reload: false })
    const said = async (...args: string[]) => (await failureOf((async () => typed(...args))())).said
    expect(await said('set', '--show', 'A=1')).toBe('--show means nothing to env set; it goes with list')
    expect(await said('--no-reload')).toBe('--no-reload means nothing to env list; it goes with set')
    expect(await said('A=hunter22')).toBe('VERB is one of list, set; got "A=…".')
  })

  it('behind -- are wrong for a task that runs no command', async () => {
    const told = await failureOf((async () => parseArguments('nodes', {}, false, ['--', 'ls']))())
    expect(told.said).toBe('nodes takes no command behind --')
  })
})

it('what is required and missing is named as it is typed', async () => {
  const required = {
    file: option({ type: 'string', positional: true, required: true, help: 'a bundle' }),
    dropOld: option({ type: 'string', required: true }),
  }
  const missing = (options: Record<string, unknown>) => failureOf((async () => requireOptions('load', required, options))())
  expect((await missing({})).said).toBe('load needs FILE: a bundle')
  expect((await missing({ file: 'a' })).said).toBe('load needs --drop-old')
  expect(requireOptions('load', required, { file: '', dropOld: 'x' })).toBeUndefined()
})
