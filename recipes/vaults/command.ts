import { defineVault } from '../../project/vault.js'

/** Whatever a command line prints: pass, gopass, a file, a script of the project's own. */
export const vault = defineVault({
  name: 'command',
  doc: "what a command prints, run by sh in the project's folder",
  example: 'pass show shop/api',
  login: 'Run it by hand in the folder of the project: does it print the value?',
  command: (line) => ['sh', '-c', line],
})
