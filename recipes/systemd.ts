import { sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'

/**
 * A unit of systemd that runs now and starts at boot.
 *
 * @example running('nginx.service')
 */
export function running(unit: string): readonly Step[] {
  return [
    {
      title: `${unit} is running`,
      check: sh`systemctl is-enabled --quiet ${unit} && systemctl is-active --quiet ${unit}`,
      apply: sh`systemctl enable --quiet --now ${unit}`,
    },
  ]
}
