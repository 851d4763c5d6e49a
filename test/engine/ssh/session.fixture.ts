// Run as a program of its own: session.fixture.ts interactive|piped RECORD CONFIG COMMAND
import { connect } from '../../../engine/ssh/connect.js'
import { runInteractive, runPiped } from '../../../engine/ssh/terminal.js'

const [kind, record, configFile = '', command = ''] = process.argv.slice(2)
const connection = connect({ record: JSON.parse(record ?? ''), configFile })
const run = kind === 'interactive' ? runInteractive : runPiped
process.exitCode = await run(connection, command)
await connection.close()
if (kind === 'interactive') process.stdout.write(`raw: ${process.stdin.isTTY ? process.stdin.isRaw : 'no terminal'}\r\n`)
