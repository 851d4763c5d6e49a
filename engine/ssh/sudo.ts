import type { Duplex } from 'node:stream'
import { KraftError } from '../errors/failure.js'
import { asRoot, sudoVariable } from '../shell/as-root.js'
import type { Secret } from '../shell/secret.js'
import { quote, sh } from '../shell/sh.js'
import type { AskedOnce } from './asked-once.js'
import { type Askpass, startAskpass } from './askpass.js'
import type { Channel, Connection, ExecOptions, Exit } from './connection.js'
import { gather } from './gather.js'
import { noSudo, wantsPassword } from './no-sudo.js'

/**
 * A connection whose commands for root also work where sudo wants a password or a terminal. Both are found out before the
 * first such command (never for root itself); `password` is asked for only where `sudo -n` was refused.
 *
 * @example withSudo(connect({ record }), new AskedOnce({ question: 'Password for sudo', ask }))
 */
export function withSudo(connection: Connection, password: AskedOnce): Connection {
  return connection.user === 'root' ? connection : new SudoConnection(connection, password)
}

/** The environment with which {@link asRoot}'s text becomes root. */
type Way = Readonly<Record<string, string>>

class SudoConnection implements Connection {
  readonly node: string
  readonly user: string
  #way: Promise<Way> | undefined
  #known: Way = {}
  #askpass: Askpass | undefined

  constructor(
    readonly inner: Connection,
    readonly password: AskedOnce,
  ) {
    this.node = inner.node
    this.user = inner.user
  }

  get isAlone(): boolean {
    return this.inner.isAlone === true
  }

  /** This one, which from now on goes over a connection of this process. */
  get direct(): Connection {
    // Reading it is what makes the inner one leave its holder.
    void this.inner.direct
    return this
  }

  async exec(command: string, options: ExecOptions = {}): Promise<Channel> {
    if (!command.includes(sudoVariable)) return this.inner.exec(command, options)
    // What ends another command must neither wait nor ask.
    const way = options.urgent ? this.#known : await this.#find()
    return this.inner.exec(under(way, command), options)
  }

  async capture(command: string, input?: string | Buffer): Promise<{ stdout: string; stderr: string; exit: Exit }> {
    return gather(await this.exec(command), input)
  }

  forward(host: string, port: number): Promise<Duplex> {
    return this.inner.forward(host, port)
  }

  async close(): Promise<void> {
    this.#askpass?.close()
    await this.inner.close()
  }

  #find(): Promise<Way> {
    this.#way ??= this.#probe().then(
      (way) => {
        this.#known = way
        return way
      },
      (error: unknown) => {
        this.#forget()
        throw error
      },
    )
    return this.#way
  }

  #forget(): void {
    this.#way = undefined
    this.#known = {}
    this.#askpass?.close()
    this.#askpass = undefined
  }

  async #probe(): Promise<Way> {
    const { stdout, stderr } = await this.inner.capture(`exec sh -c ${quote(probe)}`)
    const [, tty, said = ''] = /^(tty )?([\s\S]*)$/.exec(stdout.trim()) ?? []
    if (said === 'free') return tty === undefined ? {} : { [sudoVariable]: inTerminal('-n') }
    if (!wantsPassword(said)) throw noSudo(this.inner, said || stderr.trim())
    // A password is not for the process that keeps a connection warm.
    const askpass = await startAskpass(this.inner.direct ?? this.inner)
    this.#askpass = askpass
    void askpass.gone.then(() => {
      if (this.#askpass === askpass) this.#forget()
    })
    const way = {
      SUDO_ASKPASS: askpass.program,
      [sudoVariable]: tty === undefined ? direct('-A') : inTerminal('-A'),
    }
    await this.#prove(askpass, way)
    return way
  }

  /** Finds a password that sudo takes, with one attempt a password: a locked account helps nobody. */
  async #prove(askpass: Askpass, way: Way): Promise<void> {
    let wrong: Secret | undefined
    for (;;) {
      const password = await this.password.get(wrong)
      if (password === undefined) throw this.#refused(wrong !== undefined)
      askpass.answer(password, 1)
      const { stdout, stderr, exit } = await this.inner.capture(under({ ...way, LC_ALL: 'C' }, asRoot(this.user, ':')))
      if (exit.code === 0) return askpass.answer(password)
      const said = `${stderr}${stdout}`.trim()
      if (!/incorrect password|try again|no password was provided|password is required/.test(said)) throw noSudo(this.inner, said)
      wrong = password
    }
  }

  #refused(isWrong: boolean): KraftError {
    const { node, user } = this.inner
    const login = user === '' ? 'the login' : user
    const free = `or give ${login} the line "${login} ALL=(ALL) NOPASSWD:ALL" in /etc/sudoers.d there`
    const message = isWrong
      ? `sudo did not take the password for ${login}`
      : this.password.isAsked
        ? `sudo wants the password of ${login}, and you gave none`
        : `sudo wants the password of ${login}, and there is no terminal to ask for it`
    const next = isWrong
      ? 'Try again with the right one; the node may count wrong ones and lock the login'
      : `Call kraft in a terminal, put the password into KRAFT_SUDO_PASSWORD, ${free}`
    return new KraftError({ kind: 'task', node, message, next })
  }
}

function under(way: Way, command: string): string {
  const set = Object.entries(way).map(([name, value]) => `${name}=${quote(value)}`)
  return set.length === 0 ? command : `exec env ${set.join(' ')} sh -c ${quote(command)}`
}

function direct(flag: '-n' | '-A'): string {
  return `exec sudo ${flag} -- sh -c "$0"`
}

// `Defaults requiretty` wants a controlling terminal, not that the streams are one: script(1) makes the terminal, while the command
// keeps the streams of the channel, whose bytes nothing touches.
function inTerminal(flag: '-n' | '-A'): string {
  return `if (: </dev/tty) 2>/dev/null; then ${direct(flag)}; fi
KRAFT_ROOT=$0 SHELL=/bin/sh; export KRAFT_ROOT SHELL
exec 3<&0 4>&1 5>&2
exec script -qec 'exec sudo ${flag} -- sh -c "$KRAFT_ROOT" <&3 >&4 2>&5 3<&- 4>&- 5>&-' /dev/null </dev/null >/dev/null 2>&1`
}

const probe = sh`
  LC_ALL=C; export LC_ALL
  said=$(sudo -n -- sh -c : 2>&1 </dev/null) && { echo free; exit; }
  case $said in
    *'must have a tty'*)
      printf 'tty '
      said=$(SHELL=/bin/sh script -qec 'exec sudo -n -- sh -c :' /dev/null 2>&1 </dev/null) && { echo free; exit; }
      ;;
  esac
  printf '%s\n' "$said"
`.text
