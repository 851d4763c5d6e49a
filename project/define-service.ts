import type { InferOutput } from 'valibot'
import { type MapSchema, sectionOf } from '../engine/config/section-of.js'
import { requireName } from '../engine/errors/declaration-error.js'
import type { Secret } from '../engine/shell/secret.js'
import type { Sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import {
  type Developer,
  type Door,
  type Elsewhere,
  type Here,
  type Place,
  type Service,
  type ServiceData,
  serviceMark,
} from './service.js'

/** What {@link service} is given. All but the name can be left out. */
export interface ServiceSpec<S extends MapSchema> {
  /** As it stands under `services:`: small letters, digits and hyphens. */
  readonly name: string
  /** One line for the docs. */
  readonly doc?: string
  /** What `services: [{ NAME: … }]` may set. */
  readonly schema?: S
  /** What the node needs; the same for all instances. */
  install?(): readonly Step[]
  /** What the instance needs. Runs at each deploy and changes nothing the second time. */
  setup?(place: Place, settings: InferOutput<S>): readonly Step[]
  /** What the application finds in its environment. */
  environ?(place: Place, settings: InferOutput<S>): Readonly<Record<string, string | Secret>>
  /** Names of variables that `setup` writes to `layout.made(place, NAME)` on the node instead, because they hold secrets. */
  readonly made?: readonly string[]
  /** How its data gets into a bundle and back; left out by a service that has nothing to keep. */
  readonly data?: ServiceData
  /** The same where its server is elsewhere; without it neither `url:` nor the role db count for it. */
  readonly elsewhere?: Elsewhere
  /** The command line of its own shell, as `psql -d shop`: run as the instance's user, and what follows `--` comes behind it. */
  shell?(place: Place, settings: InferOutput<S>): readonly string[]
  /** Where it takes connections from the instance's user, for `kraft forward`. */
  door?(place: Place, settings: InferOutput<S>): Door
  /** What `kraft dev` looks for on a developer's machine, the best first. */
  here?(developer: Developer): readonly Here[]
  /**
   * Prints `NAME VALUE` lines that say how it is, for `kraft status`: version, size (in bytes), connections, whatever else counts.
   * Runs as root under `sh -e`, changes nothing, and fails where the service does not answer.
   */
  facts?(place: Place, settings: InferOutput<S>): Sh
  /** Removes the instance's data and access; the node keeps the program. */
  destroy?(place: Place): readonly Step[]
}

/**
 * A service of your own: exported from a kraftfile, or from a package that a kraftfile passes on, it can stand under
 * `services:` in kraftwerk.yaml like a built-in one.
 *
 * @throws DeclarationError where its name is not small letters, digits and hyphens.
 * @example
 * export const solr = service({
 *   name: 'solr',
 *   schema: schema.object({ core: schema.string() }),
 *   install: () => apt('solr'),
 *   environ: (place, { core }) => ({ SOLR_URL: `http://127.0.0.1:8983/solr/${core}` }),
 * })
 */
export function service<S extends MapSchema = MapSchema>(spec: ServiceSpec<S>): Service {
  const { name, doc = name, schema, install, setup, environ, made, data, elsewhere, shell, door, here, facts, destroy } = spec
  requireName('service', name)
  const whole: Service = {
    name,
    doc,
    section: schema === undefined ? {} : sectionOf(schema),
    install: () => install?.() ?? [],
    setup: (place, settings) => setup?.(place, settings as InferOutput<S>) ?? [],
    environ: (place, settings) => environ?.(place, settings as InferOutput<S>) ?? {},
    ...(made === undefined ? {} : { made }),
    ...(data === undefined ? {} : { data }),
    ...(elsewhere === undefined ? {} : { elsewhere }),
    ...(shell === undefined ? {} : { shell: (place, settings) => shell(place, settings as InferOutput<S>) }),
    ...(door === undefined ? {} : { door: (place, settings) => door(place, settings as InferOutput<S>) }),
    ...(here === undefined ? {} : { here }),
    ...(facts === undefined ? {} : { facts: (place, settings) => facts(place, settings as InferOutput<S>) }),
    destroy: (place) => destroy?.(place) ?? [],
  }
  return Object.assign(whole, { [serviceMark]: true })
}
