// Files of node tests run side by side: each worker has local nodes, an image and a network of its own. KRAFT_TEST_STATE and
// KRAFT_TEST_SUBNET name others, so that two checkouts can test on one machine at the same time.
const worker = Number(process.env.VITEST_POOL_ID ?? 1)
const other = worker > 1 ? `-${worker}` : ''
const [first = '10.77', third = '21'] = /^(.*)\.(\d+)$/.exec(process.env.KRAFT_TEST_SUBNET ?? '10.77.21')?.slice(1) ?? []
process.env.KRAFT_TEST_STATE = `${process.env.KRAFT_TEST_STATE ?? '/var/lib/kraftwerk-tests/local'}${other}`
// Far enough apart for checkouts that count on from their own.
process.env.KRAFT_TEST_SUBNET = `${first}.${Number(third) + 100 * (worker - 1)}`
process.env.KRAFT_LOCAL_STATE = process.env.KRAFT_TEST_STATE
process.env.KRAFT_LOCAL_SUBNET = process.env.KRAFT_TEST_SUBNET
