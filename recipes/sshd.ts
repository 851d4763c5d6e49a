import { lines, sh } from '../engine/shell/sh.js'
import type { Step } from '../engine/step/step.js'
import { guarded } from './revert.js'

const path = '/etc/ssh/sshd_config.d/10-kraftwerk.conf'

// First come, first served in sshd's settings: "10-" is before cloud-init's 50-.
const content = `# Made by kraft bootstrap: keys only.
PasswordAuthentication no
KbdInteractiveAuthentication no
`

const effective = sh`
  effective() { sshd -T -C user=root,host=localhost,addr=127.0.0.1,laddr=127.0.0.1,lport=22 | grep -qix "$1"; }
  # Made by systemd when ssh.service starts, which by a socket it may not have yet; sshd -T wants it.
  mkdir -p -m 0755 /run/sshd`

/**
 * sshd takes keys only. Root by key stays, where the node lets root in at all. It reverts itself unless `confirmSteps` run.
 *
 * @example sshd()
 */
export function sshd({ seconds }: { readonly seconds?: number } = {}): readonly Step[] {
  return guarded({
    name: 'sshd',
    title: 'sshd takes no passwords',
    ...(seconds === undefined ? {} : { seconds }),
    files: { plain: content, root: `${content}PermitRootLogin prohibit-password\n` },
    paths: [path],
    check: lines(
      effective,
      sh`
        cmp -s "$KRAFT_STEP/plain" ${path} || cmp -s "$KRAFT_STEP/root" ${path} || exit 1
        effective 'passwordauthentication no'
        effective 'kbdinteractiveauthentication no'
        if effective 'permitrootlogin yes'; then exit 1; fi
      `,
    ),
    diff: sh`
      old=${path}
      if [ ! -f "$old" ]; then old=/dev/null; fi
      diff -u --label ${path} --label ${`${path} (new)`} "$old" "$KRAFT_STEP/plain" || :
    `,
    apply: lines(
      effective,
      sh`
        install -d ${path.slice(0, path.lastIndexOf('/'))}
        put() { install -m 0644 "$1" ${`${path}.new`}; mv -fT ${`${path}.new`} ${path}; }
        put "$KRAFT_STEP/plain"
        # Only where passwords were allowed for root: "no" is stricter than ours and stays.
        if effective 'permitrootlogin yes'; then put "$KRAFT_STEP/root"; fi
        sshd -t
        for wanted in 'passwordauthentication no' 'kbdinteractiveauthentication no'; do
          if ! effective "$wanted"; then
            printf 'sshd does not take "%s" from %s; these lines come before it, or /etc/ssh/sshd_config does not include it:\n' "$wanted" ${path}
            grep -rniE '^[[:space:]]*(include|passwordauthentication|kbdinteractiveauthentication|challengeresponseauthentication)' /etc/ssh/sshd_config /etc/ssh/sshd_config.d
            exit 1
          fi
        done
        systemctl try-reload-or-restart ssh.service
      `,
    ),
    restore: sh`sshd -t && systemctl try-reload-or-restart ssh.service`,
  })
}
