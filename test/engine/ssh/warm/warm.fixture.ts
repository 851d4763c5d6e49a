// Run as a program of its own: warm.fixture.ts RECORD CONFIG HOLDER COMMAND
import { connectWarm } from '../../../../engine/ssh/warm/warm-connection.js'

const [record, configFile = '', program = '', command = ''] = process.argv.slice(2)
const note = (text: string): void => void process.stdout.write(`note: ${text}\n`)
const connection = connectWarm({ record: JSON.parse(record ?? ''), configFile, program, keep: 60, version: '1.0.0', note })
const { stdout } = await connection.capture(command)
process.stdout.write(stdout)
await connection.close()
