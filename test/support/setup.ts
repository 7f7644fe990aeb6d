import { afterAll, afterEach, vi } from 'vitest'
import { endAll } from './at-end.ts'
import { measureSlowness, PATIENCE_MS, TEST_MS } from './patience.ts'

// Runs before each test file.
measureSlowness()

// `expect.poll` without a time-out of its own has the shared patience.
vi.setConfig({
  testTimeout: TEST_MS,
  hookTimeout: TEST_MS,
  expect: { poll: { timeout: PATIENCE_MS, interval: 20 } },
})

afterEach(() => endAll('test'))
afterAll(() => endAll('file'))
