import { sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { apt } from './apt.js'
import { template } from './template.js'

export const unattendedUpgradesPackages = ['unattended-upgrades'] as const

/** Security updates are installed every day, without a reboot. */
export function unattendedUpgrades(): readonly Step[] {
  return [...apt(...unattendedUpgradesPackages), ...unattendedUpgradesSetup()]
}

/** {@link unattendedUpgrades} once its packages are there. */
export function unattendedUpgradesSetup(): readonly Step[] {
  return [
    ...template('apt/unattended-upgrades.conf', { to: '/etc/apt/apt.conf.d/52kraftwerk' }),
    ...['apt-daily.timer', 'apt-daily-upgrade.timer'].map(timer),
  ]
}

// Masking is a decision of whoever made the node: one that reaches no mirror would fail every day.
function timer(unit: string): Step {
  return {
    title: `${unit} is on`,
    check: sh`
      case "$(systemctl is-enabled ${unit} 2>/dev/null)" in masked*) echo ${`${unit} is masked on this node`}; exit 75 ;; esac
      systemctl is-enabled --quiet ${unit} && systemctl is-active --quiet ${unit}
    `,
    apply: sh`systemctl enable --quiet --now ${unit}`,
  }
}
