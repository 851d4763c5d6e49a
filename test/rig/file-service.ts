import { sh } from '../../engine/shell/sh.js'
import { defineService } from '../../project/service.js'
import type { DataService } from '../../recipes/bundle.js'

/** A service whose data is one file in a folder: live, beside it and former. `swap` may fail, or be cut off half-way. */
export function fileService(home: string, name: string, more: { readonly swap?: 'fails' | 'is cut off' } = {}): DataService {
  const at = (what: string) => `${home}/${name}.${what}`
  const lines = (what: string) => sh`echo "lines in it $(wc -l <${at(what)})"`
  const moved = (from: string, to: string) => sh`if [ -e ${at(from)} ]; then mv ${at(from)} ${at(to)}; fi`
  const data = {
    member: `${name}.txt`,
    dump: () => sh`cp ${at('live')} "$KRAFT_OUT"; echo "lines in it $(wc -l <"$KRAFT_OUT")"`,
    count: () => lines('live'),
    beside: () => sh`cp "$KRAFT_IN" ${at('beside')}`,
    countBeside: () => lines('beside'),
    copy: () => ({ environ: { [`${name.toUpperCase()}_FILE`]: at('beside') } }),
    swap: () => {
      if (more.swap === 'fails') return sh`echo broken; exit 4`
      const rest = more.swap === 'is cut off' ? sh`kill -KILL "$PPID" $$` : moved('beside', 'live')
      return sh`mv ${at('live')} ${at('former')}; ${rest}`
    },
    undo: () => sh`if [ -e ${at('former')} ]; then ${moved('live', 'beside')}; mv ${at('former')} ${at('live')}; fi`,
    keep: () => moved('beside', 'former'),
    forget: () => sh`rm -f ${at('former')}`,
    discard: () => sh`rm -f ${at('beside')}`,
  }
  const unused = { doc: '', section: {}, install: () => [], setup: () => [], environ: () => ({}), destroy: () => [] }
  return { service: defineService({ name, ...unused, data }), data }
}
