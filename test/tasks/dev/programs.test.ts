import { expect, test } from 'vitest'
import { chosenNames, processPrograms, type Site, webProgram } from '../../../tasks/dev/programs.js'

const command = (site: Partial<Site>, programs: readonly string[] = []) => {
  const has = (program: string) => programs.includes(program)
  const whole = { framework: 'wsgi', wsgi: 'shop:app', virtualenv: '/venv', manage: undefined, port: 8001, ...site }
  const { command: words, reloads } = webProgram({ ...whole, has })
  return [words.join(' '), reloads]
}

test('the site is served by what fits it and is installed, and says whether it reloads by itself', () => {
  const manage = '/shop/manage.py'
  expect(command({ framework: 'django', manage }, ['gunicorn'])).toEqual([
    '/venv/bin/python /shop/manage.py runserver 127.0.0.1:8001',
    true,
  ])
  expect(command({ framework: 'django' })).toEqual(['/venv/bin/python -m django runserver 127.0.0.1:8001', true])
  expect(command({ framework: 'flask' }, ['flask', 'gunicorn'])).toEqual([
    '/venv/bin/flask run --debug --host 127.0.0.1 --port 8001',
    true,
  ])
  const gunicorn = ['/venv/bin/gunicorn --reload --bind 127.0.0.1:8001 --access-logfile - shop:app', true]
  expect(command({ framework: 'flask' }, ['gunicorn'])).toEqual(gunicorn)
  expect(command({}, ['gunicorn'])).toEqual(gunicorn)
  expect(command({})).toEqual([expect.stringMatching(/^\/venv\/bin\/python -c [\s\S]*wsgiref[\s\S]* shop:app 8001$/), false])
})

const processes = {
  worker: { command: 'A=1 rq worker', count: 3 },
  idle: { command: 'sleep 1', count: 0 },
}

test('each process runs once, by bash, and knows which one it is', () => {
  expect(processPrograms(processes)[0]).toMatchObject({
    name: 'worker',
    command: ['bash', '-c', 'A=1 rq worker'],
    environ: { KRAFT_PROCESS: 'worker', KRAFT_PROCESS_INDEX: '1' },
    reloads: false,
  })
})

test('what has no copies runs only where it is named, and a name that is wrong is refused with the nearest', () => {
  expect(chosenNames(processes, [])).toEqual(['web', 'worker'])
  expect(chosenNames(processes, ['idle, web'])).toEqual(['web', 'idle'])
  expect(chosenNames(processes, ['idle', 'worker'])).toEqual(['worker', 'idle'])
  expect(() => chosenNames(processes, ['wrker'])).toThrow(
    expect.objectContaining({
      failure: expect.objectContaining({
        kind: 'usage',
        message: 'There is no process "wrker". Did you mean "worker"?',
        next: expect.stringContaining('web, worker, idle'),
      }),
    }),
  )
})
