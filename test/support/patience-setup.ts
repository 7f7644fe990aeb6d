import { vi } from 'vitest'
import { PATIENCE_MS, TEST_MS } from './patience.ts'

// Loaded before each test file: `expect.poll` without a time-out of its own has the shared patience.
vi.setConfig({
  testTimeout: TEST_MS,
  hookTimeout: TEST_MS,
  expect: { poll: { timeout: PATIENCE_MS, interval: 20 } },
})
