import { defineConfig } from 'vitest/config'

const isolated = { pool: 'forks' as const, passWithNoTests: false }

// They need a server that takes EC2's place, which takes its time to install.
const cloud = ['test/recipes/providers/ec2.test.ts', 'test/recipes/providers/ec2/**', 'test/cloud/**']

const onNodes = {
  testTimeout: 600_000,
  hookTimeout: 600_000,
  setupFiles: ['test/rig/own-state.ts'],
  globalSetup: ['test/rig/protected-files.ts'],
}
const docs = ['test/docs/guides.test.ts']

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...isolated,
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/nodes/**', 'test/package/**', ...cloud, ...docs, 'node_modules/**'],
          testTimeout: 60_000,
          // The first of a new machine installs what it needs.
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          ...isolated,
          name: 'package',
          include: ['test/package/**/*.test.ts'],
          globalSetup: ['test/package/install.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      { test: { ...isolated, name: 'cloud', include: cloud, testTimeout: 60_000, hookTimeout: 300_000 } },
      { test: { ...isolated, ...onNodes, name: 'nodes', include: ['test/nodes/**/*.test.ts'] } },
      { test: { ...isolated, ...onNodes, name: 'docs', include: docs } },
    ],
  },
})
