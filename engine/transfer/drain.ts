import { sh } from '../shell/sh.js'

/** Shell behind a tar that takes what is sent: it is content before the end comes, and whoever sends that would meet a closed channel. */
export const drain = sh`cat >/dev/null`
