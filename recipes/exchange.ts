import { lines, type Sh, sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { layout } from '../project/layout.js'
import type { Place } from '../project/service.js'
import type { DataService } from './bundle.js'
import { template } from './template.js'

/**
 * The folder on the node that is there while live data and others change places, with the script that undoes it: whoever finds it,
 * the next run or the next boot, has a swap before it that was cut off.
 */
export function exchangeJournal(place: Place): string {
  return `${layout.dumps(place)}/exchange`
}

// What the last load put in the place of the live data: its time and its services in the first line, then what people read.
const record = (place: Place) => `${layout.dumps(place)}/loaded`

const unit = 'kraft-exchange@'
const unitFile = `/etc/systemd/system/${unit}.service`
const wanted = '/etc/systemd/system/multi-user.target.wants'
const linkOf = ({ name }: Place) => `${wanted}/${unit}${name}.service`

/** What the last load was, as {@link readLoaded} printed it. */
export interface Loaded {
  readonly services: readonly string[]
  /** For people: whose data of when. */
  readonly what: string
}

/** Prints what the last load put in its place, for {@link parseLoaded}. */
export function readLoaded(place: Place): Sh {
  return sh`cat ${record(place)} 2>/dev/null || :`
}

/** Reads it; undefined where nothing was loaded, or its former data are gone. */
export function parseLoaded(text: string): Loaded | undefined {
  const [services = '', what = ''] = text.split('\n')
  return services === '' ? undefined : { services: services.split(' '), what }
}

/** At boot the node undoes by itself what a power cut left half done. */
export function undoAtBoot(place: Place): readonly Step[] {
  const link = linkOf(place)
  return [
    ...template('services/exchange.service', { to: unitFile, vars: { layout } }),
    {
      title: 'An interrupted load is undone at boot',
      quiet: true,
      check: sh`test "$(readlink ${link})" = ${unitFile}`,
      apply: sh`ln -sfnT ${unitFile} ${link}`,
    },
  ]
}

/** The instance is to be gone: nothing of it is undone at boot. The last one takes the unit with it. */
export function neverUndone(place: Place): readonly Step[] {
  const link = linkOf(place)
  return [
    {
      title: 'Nothing is undone at boot',
      quiet: true,
      check: sh`test ! -L ${link}`,
      apply: sh`
        rm -f ${link}
        for other in ${`${wanted}/${unit}`}*; do
          if [ -L "$other" ]; then exit 0; fi
        done
        rm -f ${unitFile}
      `,
    },
  ]
}

/** Undoes a swap of data that was cut off. Only for whoever holds the instance's lock. */
export function undoInterrupted(place: Place): readonly Step[] {
  const journal = exchangeJournal(place)
  return [
    {
      title: 'No load was cut off',
      quiet: true,
      check: sh`test ! -e ${journal}`,
      apply: sh`
        sh ${`${journal}/undo`}
        echo 'A load was cut off in its last moment: what was live before is live again'
      `,
    },
  ]
}

// In the folder of each dump that is in the making; a swap takes it from all of them.
const mark = 'one-moment'

/** The code of a dump that met a load: the next try will not. */
export const metLoad = 76

/** A dump begins in its folder. None does while data change places, and a swap that comes later makes it void: it need not wait. */
export function beginMoment(place: Place, folder: string): Sh {
  // In this order, and a swap in the other: one of the two sees what the other one has done.
  return sh`
    : >${`${folder}/${mark}`}
    if [ -e ${exchangeJournal(place)} ]; then
      rm -rf ${folder}
      echo 'A load is changing the data right now, or was cut off. The next deploy or load puts it right'
      exit ${metLoad}
    fi
  `
}

/** Fails where data have changed places since {@link beginMoment}. */
export function sameMoment(folder: string): Sh {
  return sh`
    if [ ! -e ${`${folder}/${mark}`} ]; then
      echo 'A load changed the data meanwhile, so this would be a dump of two moments. Dump once more'
      exit ${metLoad}
    fi
  `
}

/** Removes the former data of services: a load makes new ones, or nobody wants them any more. */
export function forgetFormer(place: Place, services: readonly DataService[]): readonly Step[] {
  return [
    {
      title: 'Remove the former data',
      quiet: true,
      apply: lines(sh`rm -f ${record(place)}`, ...services.map(({ data }) => sh`sh -ec ${data.forget(place).text}`)),
    },
  ]
}

/** Has a load's services without former data at once: what takes long to remove is put away, for {@link clearRetired}. */
export function retireFormer(place: Place, services: readonly DataService[]): readonly Step[] {
  return [
    {
      title: 'Put the former data away',
      quiet: true,
      apply: lines(
        sh`rm -f ${record(place)}`,
        ...services.map(({ data }) => sh`sh -ec ${(data.retire ?? data.forget)(place).text}`),
      ),
    },
  ]
}

/** Removes what was put away, while nobody waits for it. */
export function clearRetired(place: Place, services: readonly DataService[]): readonly Step[] {
  const clear = services.flatMap(({ data }) => data.clear?.(place).text ?? [])
  if (clear.length === 0) return []
  const each = sh`for each; do sh -ec "$each"; done`
  return [
    {
      title: 'Remove what was put away',
      quiet: true,
      apply: sh`setsid nice sh -c ${each.text} sh ${clear} </dev/null >/dev/null 2>&1 8>&- &`,
    },
  ]
}

/**
 * Swaps all services in one script: either all of them change places with what lies beside, or none. It may be cut off anywhere.
 * `loaded` is what people are told of it later.
 */
export function swapIn(place: Place, services: readonly DataService[], loaded: string): readonly Step[] {
  const journal = exchangeJournal(place)
  return [
    noteUndo(place, services),
    {
      title: 'Swap the data',
      files: scripts('swap', services, ({ data }) => data.swap(place)),
      apply: sh`
        for each in ${numbers(services)}; do
          if sh -e "$KRAFT_STEP/swap$each"; then continue; fi
          echo 'The swap failed; the data that was live is put back'
          sh ${`${journal}/undo`} || echo 'Putting it back failed: the next load, deploy or boot tries it again'
          exit 1
        done
        ${noteLoaded(place, services, loaded)}
        ${settle(journal)}
      `,
    },
  ]
}

/** Takes the last load back: what was live before is live again, and what was loaded is kept in its place. */
export function swapBack(place: Place, services: readonly DataService[], loaded: string): readonly Step[] {
  return [
    ...services.flatMap(({ service, data }) => {
      const prepare = data.prepareUndo?.(place)
      if (prepare === undefined) return []
      return [
        {
          title: `Make ready what ${service.name} had before`,
          quiet: true,
          loud: true,
          files: { prepare: `${prepare.text}\n` },
          apply: sh`sh -e "$KRAFT_STEP/prepare"`,
        },
      ]
    }),
    noteUndo(place, services),
    {
      title: 'Swap the former data back',
      files: scripts('keep', services, ({ data }) => data.keep(place)),
      apply: sh`
        sh ${`${exchangeJournal(place)}/undo`}
        for each in ${numbers(services)}; do sh -e "$KRAFT_STEP/keep$each"; done
        ${noteLoaded(place, services, loaded)}
      `,
    },
  ]
}

const numbers = (services: readonly DataService[]) => services.map((_, index) => String(index))

const scripts = (what: string, services: readonly DataService[], of: (service: DataService) => Sh) =>
  Object.fromEntries(services.map((service, index) => [`${what}${index}`, `${of(service).text}\n`]))

function noteUndo(place: Place, services: readonly DataService[]): Step {
  const journal = exchangeJournal(place)
  // All of them are tried, the last swapped first; what could not be undone stays to be tried again.
  const undo = sh`
    exec 9>${`${journal}.lock`}
    flock 9
    cd /
    if [ ! -e ${journal} ]; then exit 0; fi
    code=0
    for each in ${numbers(services).reverse()}; do sh -e ${`${journal}/`}undo"$each" 9>&- || code=1; done
    if [ "$code" != 0 ]; then exit 1; fi
    rm -f ${record(place)}
    ${settle(journal)}
  `
  return {
    title: 'Note how to undo it',
    quiet: true,
    files: { undo: `set -e\n${undo.text}\n`, ...scripts('undo', services, ({ data }) => data.undo(place)) },
    apply: sh`
      umask 077
      rm -rf ${`${journal}.new`}
      mkdir ${`${journal}.new`}
      cp "$KRAFT_STEP"/undo* ${`${journal}.new`}
      # Also all that was loaded beside: a power cut must not find a part of it live.
      sync
      mv -T ${`${journal}.new`} ${journal}
      rm -f ${layout.dumps(place)}/*/${mark}
      sync -f ${layout.dumps(place)}
    `,
  }
}

// It is gone in one moment, however long its removal takes.
const settle = (journal: string) => sh`
  sync -f ${journal}
  rm -rf ${`${journal}.done`}
  mv -T ${journal} ${`${journal}.done`}
  rm -rf ${`${journal}.done`} ${`${journal}.lock`}
`

const noteLoaded = (place: Place, services: readonly DataService[], what: string) => sh`
  umask 077
  printf '%s\n' ${services.map(({ service }) => service.name).join(' ')} ${what} >${`${record(place)}.new`}
  mv -f ${`${record(place)}.new`} ${record(place)}
`
