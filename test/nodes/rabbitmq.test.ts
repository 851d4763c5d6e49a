import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { service } from '../../recipes/services/rabbitmq.js'
import { type Files, writeFiles } from '../rig/cli.js'
import { provisionPrepared } from '../rig/prepared-node.js'
import { beginStory, type Story } from '../rig/story-node.js'

// A vhost of RabbitMQ: what is declared in it is dumped, lost and loaded, and messages are while nobody works on them.
const files: Files = {
  'kraftwerk.yaml': `name: post
wsgi: post.wsgi:application
packages: []
workers: 1
services: [rabbitmq]
environments: { stage: { nodes: [one] } }
`,
  'post/__init__.py': '',
  'post/wsgi.py': `import os
def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [os.environ['RABBITMQ_VHOST'].encode()]
`,
}
const place = { name: 'post', home: '/web/post' }

let story: Story
let project: string
let deployed: string
beforeAll(async () => {
  story = await beginStory('httpbin')
  project = join(story.home, 'post')
  await writeFiles(project, files)
  await provisionPrepared(story, ['one'])
  const { stdout, stderr } = await must('deploy:stage', '--debug')
  deployed = stdout + stderr
})
afterAll(() => story?.remove())

const must = (...args: string[]) => story.must(args, { cwd: project })
const root = async (script: string) => (await story.onNode('one', script)).trim()
/** Runs Python as the instance, which has a channel to its vhost. */
const amqp = async (program: string) =>
  (
    await must(
      'run:stage',
      '--',
      '/usr/bin/python3',
      '-c',
      `import os, pika, struct
connection = pika.BlockingConnection(pika.URLParameters(os.environ['AMQP_URL']))
channel = connection.channel()
${program}`,
    )
  ).stdout.trim()
const operations = service.data
if (operations === undefined) throw new Error('rabbitmq keeps nothing')
/** One of the service's own scripts, as a dump or load runs it. */
const run = (operation: 'dump' | 'beside' | 'countBeside' | 'swap' | 'undo' | 'forget' | 'discard', variables = '') =>
  root(`export KRAFT_OUT=/root/rabbitmq KRAFT_IN=/root/rabbitmq ${variables}\n${operations[operation](place).text}`)
const vhosts = () => root('rabbitmqctl --quiet list_vhosts --no-table-headers | sort')
const sorted = (text: string) => text.split('\n').sort()

const declare = `channel.exchange_declare('orders', 'topic', durable=True)
channel.exchange_declare('passing', 'fanout')
channel.queue_declare('mail', durable=True, arguments={'x-max-priority': 5, 'x-message-ttl': 86400000})
channel.queue_declare('a queue', durable=True, arguments={'x-queue-type': 'quorum'})
channel.queue_declare('brief')
channel.queue_bind('mail', 'orders', 'new.#', {'why': 'mail'})
channel.queue_bind('a queue', 'amq.direct', 'paid')
channel.confirm_delivery()
for number in range(300):
    channel.basic_publish('orders', 'new.one', b'\\x00\\xff %d' % number, pika.BasicProperties(
        delivery_mode=2, headers={'number': number, 'list': [1, 'zwei', None, True]}, correlation_id=str(number)))
channel.basic_publish('', 'mail', b'urgent', pika.BasicProperties(delivery_mode=2, priority=5, user_id='post'))
channel.basic_publish('', 'mail', b'lost with the server', pika.BasicProperties(delivery_mode=1))
class Half(pika.BasicProperties):
    def encode(self):
        return [b'\\x30\\x00\\x00\\x00\\x00\\x0e\\x04halfd', struct.pack('>d', 0.5), b'\\x02']
channel.basic_publish('amq.direct', 'paid', b'9.99', Half())`
// All that is in the queues, in its order, left there.
const content = () =>
  amqp(`class Raw(pika.BasicProperties):
    def decode(self, given, offset=0):
        self.raw = given[offset:]
        return super().decode(given, offset)
pika.spec.props[pika.BasicProperties.INDEX] = Raw
for queue in ('mail', 'a queue'):
    while True:
        method, properties, body = channel.basic_get(queue)
        if method is None: break
        # A quorum queue counts how often it has handed one out.
        headers = {name: value for name, value in (properties.headers or {}).items() if name != 'x-delivery-count'}
        if properties.delivery_mode == 2:
            print(queue, headers, properties.correlation_id, properties.priority, properties.content_type, body, struct.pack('>d', 0.5) in properties.raw)`)

test('it is on loopback alone, its guest is off, and the password is in the environment and nowhere else', async () => {
  const listening = await root(`ss -Hltn | awk '{ print $4 }' | grep -E ':(4369|5672|15672|25672)$' | sort`)
  expect(listening).toBe('127.0.0.1:25672\n127.0.0.1:4369\n127.0.0.1:5672')
  expect(await root('rabbitmqctl --quiet list_users --no-table-headers | cut -f 1')).toBe('post')
  const [url = '', broker, vhost] = (
    await amqp(`for name in ('AMQP_URL', 'CELERY_BROKER_URL', 'RABBITMQ_VHOST'): print(os.environ[name])`)
  ).split('\n')
  const password = /^amqp:\/\/post:(\w{40})@127\.0\.0\.1:5672\/post$/.exec(url)?.[1] ?? 'none'
  expect([broker, vhost]).toEqual([url, 'post'])
  expect(await root('stat -c "%U %a" /etc/kraftwerk/post/made/rabbitmq')).toBe('root 600')
  expect(deployed).not.toContain(password)
  expect(
    await root(`grep -rlF ${password} /run/kraftwerk /var/lib/kraftwerk /var/log /tmp /web /etc --exclude-dir=journal || :`),
  ).toBe('/etc/kraftwerk/post/made/rabbitmq')
  expect(await root(`journalctl --no-pager | grep -cF ${password} || :`)).toBe('0')
  expect((await must('env:stage')).stdout).toMatch(/^AMQP_URL +service rabbitmq, on the node$/m)
  expect((await must('diff:stage')).stdout).toContain('a deploy would change nothing')
})

test('what is declared is always in a dump, and messages are while all is frozen', async () => {
  await amqp(declare)
  await root(`rabbitmqctl --quiet set_policy -p post limit '^mail$' '{"max-length":1000}' --apply-to queues --priority 3`)
  const { members } = JSON.parse((await must('dump:stage', 'post.bundle', '--json')).stdout).manifest
  expect(members).toMatchObject([{ file: 'rabbitmq.jsonl.zst', counts: { exchanges: 1, queues: 2, bindings: 2, policies: 1 } }])
  expect(Object.keys(members[0].counts)).toHaveLength(4)
  const before = await content()
  const counts = await run('dump', 'KRAFT_FROZEN=1')
  expect(sorted(counts)).toEqual(sorted('exchanges 1\nqueues 2\nbindings 2\npolicies 1\nmessages.mail 301\nmessages.a queue 1'))
  // None of them went, and all are in their places.
  expect(await content()).toBe(before)
  expect(before.split('\n')).toHaveLength(302)
  expect(before).toMatch(/^mail \{\} None 5 None b'urgent' False\n/)
  expect(before).toMatch(/\na queue .* b'9.99' True$/)

  await run('beside')
  expect(sorted(await run('countBeside'))).toEqual(sorted(counts))
  expect(await content()).toBe(before)
  await amqp("channel.queue_purge('mail'); channel.queue_delete('a queue')")
  await run('swap')
  await run('discard')
  await must('reload:stage')
  expect(await root('curl -s --max-time 9 http://localhost/')).toBe('post+2')
  expect(await content()).toBe(before)
  expect(await root('rabbitmqctl --quiet list_policies -p post+2 --no-table-headers | cut -f 2-')).toBe(
    await root('rabbitmqctl --quiet list_policies -p post --no-table-headers | cut -f 2-'),
  )
  // Routes as before, to the queue that was bound.
  await amqp(
    "channel.basic_publish('orders', 'new.two', b'later', pika.BasicProperties(delivery_mode=2, correlation_id='later'))",
  )
  expect(await content()).toContain("mail {} later None None b'later'")
  expect((await must('diff:stage')).stdout).toContain('a deploy would change nothing')
})

test('a swap is taken back as far as it got, and what is kept is never more than one', async () => {
  const before = await content()
  await run('beside')
  expect(await vhosts()).toBe('/\npost\npost+2\npost+3')
  await run('forget')
  expect(await vhosts()).toBe('/\npost+2\npost+3')
  await run('swap')
  await run('undo')
  await run('undo')
  expect(await content()).toBe(before)
  await run('discard')
  expect(await vhosts()).toBe('/\npost+2')
  // Cut between its two steps.
  await run('beside')
  await root('cd /etc/kraftwerk/post/made; ln rabbitmq rabbitmq.former')
  await run('undo')
  await run('discard')
  expect(await vhosts()).toBe('/\npost+2')
  expect(await content()).toBe(before)
  await must('load:stage', 'post.bundle', '--yes')
  expect(await vhosts()).toBe('/\npost+2\npost+3')
  expect(await content()).toBe('')
})

test('a bundle of another project is loaded by the own user, and destroy leaves nothing', async () => {
  await writeFiles(join(story.home, 'other'), {
    ...files,
    'kraftwerk.yaml': files['kraftwerk.yaml']?.toString().replace('name: post', 'name: other\ndomain: other.test') ?? '',
  })
  const inOther = { cwd: join(story.home, 'other') }
  await story.must(['deploy:stage'], inOther)
  expect((await story.kraft(['load:stage', join(project, 'post.bundle'), '--yes'], inOther)).code).toBe(2)
  await story.must(['load:stage', join(project, 'post.bundle'), '--yes', '--foreign'], inOther)
  expect(await root('rabbitmqctl --quiet list_queues -p other+2 name --no-table-headers | sort')).toBe('a queue\nmail')
  await must('destroy:stage', '--yes')
  expect(await vhosts()).toBe('/\nother\nother+2')
  expect(
    await root(
      'rabbitmqctl --quiet list_users --no-table-headers | cut -f 1; ls -d /etc/kraftwerk/post 2>/dev/null || echo none',
    ),
  ).toBe('other\nnone')
})
