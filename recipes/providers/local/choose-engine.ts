import { isKraftError, KraftError } from '../../../engine/errors/failure.js'
import type { NodeRecord } from '../../../engine/node/record.js'
import { type Engine, type EngineName, engineNames } from './engine.js'
import { checkRoot } from './root.js'

/** An engine by its name; loaded when named, as most people use one alone. */
export async function engineNamed(name: EngineName): Promise<Engine> {
  if (name === 'nspawn') return (await import('./nspawn.js')).engine
  return (await import('./container-engine.js')).containerEngine(name)
}

/** The engine that runs a node. Nodes of an older kraft name none. */
export function engineOf({ made }: NodeRecord): Promise<Engine> {
  return engineNamed(engineNames.find((name) => name === made?.engine) ?? 'nspawn')
}

/** The engine that was asked for, or the first that can run nodes here. Throws a KraftError that says why none can. */
export async function chooseEngine(wanted: EngineName | 'auto'): Promise<Engine> {
  const reasons: string[] = []
  for (const name of wanted === 'auto' ? engineNames : [wanted]) {
    const engine = await engineNamed(name)
    const reason = await whyNot(engine)
    if (reason === undefined) return engine
    reasons.push(`${name}: ${reason}`)
  }
  throw new KraftError({
    kind: 'task',
    message: wanted === 'auto' ? 'Nothing here can run local nodes' : `${wanted} can't run local nodes here`,
    output: reasons.join('\n'),
    next: 'Install podman or Docker, run kraft as root on Debian (or with sudo that asks for no password), or use another provider: `kraft provision NAME --provider ec2`',
  })
}

/** The engines that are here, for a list of what they run. */
export async function ableEngines(): Promise<readonly Engine[]> {
  const all = await Promise.all(engineNames.map(engineNamed))
  const reasons = await Promise.all(all.map((engine) => engine.unable()))
  return all.filter((_, index) => reasons[index] === undefined)
}

async function whyNot(engine: Engine): Promise<string | undefined> {
  const reason = await engine.unable()
  if (reason !== undefined || engine.name !== 'nspawn') return reason
  try {
    await checkRoot()
  } catch (error) {
    if (isKraftError(error)) return error.message
    throw error
  }
  return undefined
}
