import { KraftError } from '../engine/errors/failure.js'
import { isSecret, reveal } from '../engine/shell/secret.js'
import { sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { render } from '../engine/template/render.js'
import { apt } from './apt.js'
import { guarded } from './revert.js'

export const firewallPackages = ['nftables'] as const

/** What {@link firewall} is given. */
export interface FirewallOptions {
  /** The port of sshd as the node sees it, the fourth word of SSH_CONNECTION: behind a port forwarding it is not the one dialled. */
  readonly sshPort: number
  /** More TCP ports to let in. */
  readonly ports?: readonly number[]
  /** Seconds until it reverts itself unless it is confirmed; 60 if left out. */
  readonly seconds?: number
}

/** The file that loads all of it, with what services have open. */
export const firewallRules = '/etc/nftables.d/kraftwerk.nft'
const boot = '/etc/nftables.conf'
const include = `include "${firewallRules}"`
// What nft listed right after loading: tells whether the kernel still has these rules, which the file alone does not.
const live = '/var/lib/kraftwerk/firewall.live'

/** Shell that loads the rules and keeps what the kernel has of them; where there is no firewall it does nothing. */
export const loadFirewall = sh`
  if [ -e ${firewallRules} ]; then
    nft -f ${firewallRules}
    nft -s list table inet kraftwerk >${live}
  fi`

/** Shell that succeeds if the kernel has them still. */
export const firewallLoaded = sh`nft -s list table inet kraftwerk 2>/dev/null | cmp -s - ${live}`

/** Shell that ends a check as if all were as it should be where kraft made no firewall. */
export const withoutFirewall = sh`if [ ! -e ${firewallRules} ]; then exit 0; fi`

/**
 * Lets in sshd, HTTP, HTTPS and ICMP, and nothing else; a table of its own beside others'. It reverts itself unless
 * `confirmSteps` run. Skipped where the kernel has no nf_tables.
 *
 * @throws KraftError where a port is none.
 * @example firewall({ sshPort: 22 })
 */
export function firewall({ sshPort, ports = [], seconds }: FirewallOptions): readonly Step[] {
  const open = [...new Set([sshPort, 80, 443, ...ports])].sort((a, b) => a - b)
  for (const port of open) if (!Number.isInteger(port) || port < 1 || port > 65_535) throw notAPort(port)
  const content = render('firewall/kraftwerk.nft', { ports: open })
  return [
    ...apt(...firewallPackages),
    ...guarded({
      name: 'firewall',
      title: `Firewall: only ports ${open.join(', ')} are open`,
      ...(seconds === undefined ? {} : { seconds }),
      files: { rules: isSecret(content) ? reveal(content) : content },
      paths: [firewallRules, boot, live],
      check: sh`
        if ! command -v nft >/dev/null; then exit 2; fi
        if ! said=$(printf '%s\n' ${probe} | nft -c -f - 2>&1); then
          printf 'this kernel has no nf_tables for a firewall (%s)\n' "$(printf '%s\n' "$said" | head -n 1)"
          exit 75
        fi
        cmp -s "$KRAFT_STEP/rules" ${firewallRules}
        grep -qxF ${include} ${boot}
        systemctl is-enabled --quiet nftables.service
        ${firewallLoaded}
      `,
      diff: sh`
        old=${firewallRules}
        if [ ! -f "$old" ]; then old=/dev/null; fi
        diff -u --label ${firewallRules} --label ${`${firewallRules} (new)`} "$old" "$KRAFT_STEP/rules" || :
      `,
      save: sh`
        nft list table inet kraftwerk >"$saved/table" 2>/dev/null || rm -f "$saved/table"
        systemctl is-enabled nftables.service >"$saved/enabled" || :
      `,
      apply: sh`
        nft -c -f "$KRAFT_STEP/rules"
        install -d /etc/nftables.d
        install -m 0644 "$KRAFT_STEP/rules" ${`${firewallRules}.new`}
        mv -fT ${`${firewallRules}.new`} ${firewallRules}
        if [ ! -e ${boot} ]; then printf '#!/usr/sbin/nft -f\n' >${boot}; chmod 0755 ${boot}; fi
        if ! grep -qxF ${include} ${boot}; then printf '\n%s\n' ${include} >>${boot}; fi
        # Enabled, not started: starting it flushes the rules of everybody else.
        systemctl enable --quiet nftables.service
        ${loadFirewall}
      `,
      restore: sh`
        {
          printf 'table inet kraftwerk\ndelete table inet kraftwerk\n'
          if [ -f "$saved/table" ]; then cat "$saved/table"; fi
        } | nft -f -
        if [ "$(cat "$saved/enabled")" != enabled ]; then systemctl disable --quiet nftables.service; fi
      `,
    }),
  ]
}

const probe = 'table inet kraft_probe { chain input { type filter hook input priority 0; ct state established accept; }; }'

function notAPort(port: number): KraftError {
  return new KraftError({ kind: 'task', message: `firewall: ${port} is not a port`, next: 'Give whole numbers from 1 to 65535' })
}
