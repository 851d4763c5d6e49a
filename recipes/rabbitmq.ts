import { type Sh, sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { render } from '../engine/template/render.js'
import { apt } from './apt.js'
import { directory, file } from './file.js'
import { running } from './systemd.js'
import { template } from './template.js'

const unit = 'rabbitmq-server.service'
// Erlang's own register of ports, which systemd opens to the world.
const registers = ['epmd.socket', 'epmd@0.0.0.0.socket']
const folder = '/etc/rabbitmq'
const ours = [`${folder}/rabbitmq-env.conf`, `${folder}/conf.d/50-kraftwerk.conf`]

const guestIsRefused = `import logging, pika
logging.disable()
try:
    pika.BlockingConnection(pika.URLParameters('amqp://guest:guest@127.0.0.1:5672/?connection_attempts=5&retry_delay=1')).close()
except pika.exceptions.ProbableAuthenticationError:
    raise SystemExit(0)
raise SystemExit(1)`

/** Sets the shell variable `program`, which asks RabbitMQ; python3 runs it with a word that says what for. */
export function askRabbitmq(): Sh {
  return sh`program=${String(render('services/rabbitmq.py'))}`
}

/** RabbitMQ, running, on loopback only, without the account that it is delivered with. */
export function rabbitmq(): readonly Step[] {
  return [
    // Before the packages, which start it; they make the folder the server's own.
    { title: `Folder ${folder}`, check: sh`test -d ${folder}`, apply: sh`mkdir ${folder}` },
    ...directory({ path: `${folder}/conf.d` }),
    ...template('services/rabbitmq-env.conf', { to: ours[0] ?? '' }),
    ...template('services/rabbitmq.conf', { to: ours[1] ?? '' }),
    ...registers.flatMap((register) => [
      ...directory({ path: `/etc/systemd/system/${register}.d` }),
      ...file({
        path: `/etc/systemd/system/${register}.d/kraftwerk.conf`,
        content: '# Written by kraft.\n[Socket]\nListenStream=\nListenStream=127.0.0.1:4369\n',
      }),
    ]),
    ...apt('rabbitmq-server', 'python3-pika'),
    ...running(unit),
    {
      title: 'RabbitMQ runs as it is set, on loopback only',
      check: sh`
        test -z "$(find ${ours} -newermt "$(systemctl show --property ActiveEnterTimestamp --value ${unit})")"
        if ss -Hltn | awk '{ print $4 }' | grep -E ':(4369|5672|15672|25672)$' | grep -qv '^127\.0\.0\.1:'; then exit 1; fi
      `,
      apply: sh`
        systemctl daemon-reload
        systemctl stop ${unit}
        for register in ${registers}; do
          if systemctl is-active --quiet "$register"; then systemctl restart "$register"; fi
        done
        systemctl start ${unit}
      `,
    },
    {
      title: 'RabbitMQ without its guest',
      check: sh`python3 -I -c ${guestIsRefused} 2>/dev/null`,
      apply: sh`rabbitmqctl --quiet delete_user guest`,
    },
  ]
}
