import { expect, it } from 'vitest'
import { readServing } from '../../../project/detect/serving.js'

it.each([
  ['gunicorn shop.wsgi', 'shop.wsgi', []],
  ['gunicorn -w 3 -t60 --threads=4 shop.wsgi', 'shop.wsgi', ['workers 3', 'timeout 60', 'threads 4']],
  ['gunicorn --bind=0.0.0.0:$PORT --preload app:app', 'app:app', ['bind 0.0.0.0:$PORT', 'preload ']],
  ['python -m gunicorn app:server --timeout=120', 'app:server', ['timeout 120']],
  [`bin/start-pgbouncer gunicorn "shop:create_app('live')" 2>&1 | tee log`, "shop:create_app('live')", []],
  ['gunicorn app:app & rq worker', 'app:app', []],
  ['A=1 B= gunicorn -e C=2 app', 'app', ['env A=1', 'env B=', 'env C=2']],
  ['waitress-serve --port=$PORT --call shop:create_app', 'shop:create_app()', ['port $PORT', 'call ']],
  ['gunicorn -c gunicorn.conf.py', undefined, ['config gunicorn.conf.py']],
])('%s', (command, app, options) => {
  const serving = readServing(command)
  expect(serving?.app).toBe(app)
  expect(serving?.options.map((each) => each.join(' '))).toEqual(options)
})

it.each(['python app.py', 'uvicorn shop:app', 'gunicornish shop'])('%s starts neither gunicorn nor waitress', (command) => {
  expect(readServing(command)).toBeUndefined()
})
