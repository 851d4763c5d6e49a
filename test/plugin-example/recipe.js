import { sh } from 'kraftwerk'

/** A folder that the instance writes. */
export function notesFolder(path, owner) {
  return [
    {
      title: `Folder ${path}`,
      check: sh`test -d ${path}`,
      apply: sh`install -d -o ${owner} -g ${owner} -m 0750 ${path}`,
    },
  ]
}
