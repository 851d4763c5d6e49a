import { lines, Sh, sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { layout } from '../project/layout.js'
import { install, installed } from './apt.js'
import { directory } from './file.js'
import { nginxFile, nginxFolder } from './nginx.js'
import type { Release } from './release.js'

const kinds = 'css js mjs cjs json map svg xml txt html htm md csv webmanifest wasm ttf otf eot'.split(' ')
/** Bytes below which a smaller answer comes in one packet all the same. */
const smallest = 1024

const packages = ['brotli', 'libnginx-mod-http-brotli-static'] as const
const refused = '/var/lib/kraftwerk/no-brotli'

// Names with a line break in them are left out: what follows works line by line.
const named = (suffix: string) => new Sh(kinds.map((kind) => `-name '*.${kind}${suffix}'`).join(' -o '))
const oneLine = new Sh("! -name '*\n*'")
const texts = sh`-type f -size +${smallest - 1}c ${oneLine} \( ${named('')} \)`

/** Where a release keeps static files that were collected or compressed for it. */
export const collected = ({ place, id }: Release) => `${layout.meta(place, id)}/public/static`

/**
 * Makes a release's static files ready to be sent compressed: those of text that are not tiny get a twin beside them (`.gz`, and `.br`
 * where the node has brotli), unless they came with one. What the release that serves has in the same form is taken from there, with its
 * time, so that browsers need not fetch it anew. `folder` is the package's own `static/` in the release, which nginx serves where
 * nothing was collected; its texts are copied to what was collected, because only there the builder may write.
 *
 * @example compressStatic(release, 'src/shop/static')
 */
export function compressStatic(release: Release, folder: string | undefined): readonly Step[] {
  return [...brotli(release, folder), compress(release, folder)]
}

// Only where there is something to compress; where the distribution has no such packages, gzip has to do, and it is asked again a day later.
function brotli(release: Release, folder: string | undefined): readonly Step[] {
  const folders = [
    collected(release),
    ...(folder === undefined ? [] : [`${layout.release(release.place, release.id)}/${folder}`]),
  ]
  const path = `${nginxFolder}/brotli.conf`
  const module = sh`ls /etc/nginx/modules-enabled/*brotli-static.conf >/dev/null 2>&1`
  return [
    {
      title: 'brotli',
      check: sh`
        ${installed(packages)} && exit 0
        if [ -n "$(find ${refused} -mmin -1440 2>/dev/null)" ]; then echo 'this node cannot have brotli; gzip has to do'; exit 75; fi
        if [ ! -d ${folders[0] ?? ''} ]; then exit 2; fi
        test -z "$(find ${folders} ${texts} -print -quit 2>/dev/null)"
      `,
      apply: sh`
        if ! (
          ${install(packages)}
        ); then
          echo 'This node cannot have brotli; gzip has to do'
          mkdir -p ${refused.slice(0, refused.lastIndexOf('/'))}
          : >${refused}
        fi
      `,
    },
    ...directory({ path: nginxFolder }),
    ...nginxFile({ path, content: '# Included where static files are served. Written by kraft.\nbrotli_static on;\n' }).map(
      (step) => ({
        ...step,
        title: 'nginx sends what brotli has compressed',
        check: lines(sh`if ! ${module}; then test ! -e ${path}; exit; fi`, step.check),
        apply: lines(sh`if ! ${module}; then rm -f ${path}; exit 0; fi`, step.apply),
      }),
    ),
  ]
}

function compress(release: Release, folder: string | undefined): Step {
  const { place, id } = release
  const made = id.replace(/^(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)$/, '$1-$2-$3 $4:$5:$6 UTC')
  return {
    title: 'Compress static files',
    quiet: true,
    // So that the application can't change what visitors get.
    as: layout.builder(place),
    apply: sh`
      umask 027
      export LC_ALL=C
      work=$(mktemp -d)
      trap 'rm -rf "$work"' EXIT
      cd ${collected(release)}
      here=$PWD
      # What was made just now is of the release's own time, so that all nodes say the same of it.
      find . -type f -newermt ${made} -exec touch -d ${made} -- {} +
      ${folder === undefined ? sh`:` : takeFromPackage(`${layout.release(place, id)}/${folder}`)}
      sums() { find . -type f ${oneLine} ! -name '*.gz' ! -name '*.br' -print0 | xargs -0 -r sha256sum | sort; }
      former=$(readlink -f ${layout.current(place)} || :)/.kraft/public/static
      if [ -d "$former" ]; then
        sums >"$work/here"
        (cd "$former" && sums) >"$work/former"
        comm -12 "$work/here" "$work/former" | cut -c 67- >"$work/same"
        cd "$former"
        # What is the same keeps its time, and with it its ETag.
        xargs -d '\n' -r cp --attributes-only --preserve=timestamps --parents -t "$here" -- <"$work/same"
        sed 's/$/.gz/; p; s/gz$/br/' "$work/same" | while IFS= read -r twin; do
          if [ -f "$twin" ]; then printf '%s\n' "$twin"; fi
        done | xargs -d '\n' -r cp --preserve=timestamps --reflink=auto --parents -t "$here" --
        cd "$here"
      fi
      # Those whose twin is missing or older than they are, in whole seconds: not every program keeps what is between them.
      find . ${texts} -printf '%Ts %p\n' >"$work/texts"
      lacking() {
        find . -type f -name "*.$1" -printf '%Ts %p\n' | sed "s/\\.$1\$//" | awk -v texts="$work/texts" '
          { time = $1; sub(/^[0-9]+ /, ""); twin[$0] = time }
          END { while ((getline <texts) > 0) { time = $1; sub(/^[0-9]+ /, ""); if (!($0 in twin) || twin[$0] < time) print } }'
      }
      lacking gz | xargs -d '\n' -r -n 20 -P "$(nproc)" nice gzip -9 -k -f --
      # At 11, the most, it takes seven times as long, for a tenth less.
      if command -v brotli >/dev/null; then lacking br | xargs -d '\n' -r -n 20 -P "$(nproc)" nice brotli --quality=9 -k -f --; fi
    `,
  }
}

// Twins that the project brings come along. What was collected under the same name stands before the package's own.
function takeFromPackage(folder: string): Sh {
  return sh`
    if [ -d ${folder} ]; then
      cd ${folder}
      find . ${texts} -o -type f \( ${named('.gz')} -o ${named('.br')} \) | sort >"$work/package"
      (cd "$here" && find . -type f | sort) >"$work/collected"
      comm -23 "$work/package" "$work/collected" | xargs -d '\n' -r cp --preserve=timestamps --reflink=auto --parents -t "$here" --
      cd "$here"
    fi
  `
}
