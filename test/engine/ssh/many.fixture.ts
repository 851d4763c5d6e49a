// Run as a program of its own: many.fixture.ts RECORD CONFIG COUNT. Prints how many destinations answered, and why others did not.
import { connect } from '../../../engine/ssh/connect.js'

const [record, configFile = '', count] = process.argv.slice(2)
const errors = new Set<string>()
const answers = await Promise.all(
  Array.from({ length: Number(count) }, async (_, index) => {
    const connection = connect({ record: { ...JSON.parse(record ?? ''), name: `node${index}` }, configFile })
    try {
      return (await connection.capture(`echo ${index}`)).stdout === `${index}\n`
    } catch (error) {
      errors.add(String(error))
      return false
    } finally {
      await connection.close()
    }
  }),
)
process.stdout.write(JSON.stringify({ answered: answers.filter(Boolean).length, errors: [...errors] }))
