import { bootstrapped } from './bootstrapped.js'
import type { Check } from './check.js'
import { committed } from './committed.js'
import { domains } from './domains.js'
import { git } from './git.js'
import { keys } from './keys.js'
import { kraftfile } from './kraftfile.js'
import { login } from './login.js'
import { modes } from './modes.js'
import { nodeJs } from './node-js.js'
import { openSsh } from './open-ssh.js'
import { ownSettings } from './own-settings.js'
import { projectSettings } from './project-settings.js'
import { providers } from './providers.js'
import { rememberedNodes } from './remembered-nodes.js'
import { room } from './room.js'
import { state } from './state.js'

/** What `kraft doctor` looks at, in the order in which it is shown: this machine, settings, keys, and what a target means. */
export const checks: readonly Check[] = [
  nodeJs,
  openSsh,
  git,
  room,
  ownSettings,
  projectSettings,
  kraftfile,
  rememberedNodes,
  modes,
  committed,
  providers,
  keys,
  login,
  bootstrapped,
  state,
  domains,
]
