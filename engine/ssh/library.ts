import { commonJs } from '../config/common-js.js'

/** Loads ssh2, which costs 35 ms, when the first connection is opened and not before. */
export const ssh2 = async (): Promise<typeof import('ssh2')> => commonJs('ssh2')
