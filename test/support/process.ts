import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import { projectRoot } from '../../src/project-root.ts'

const children = new Set<ChildProcess>()

// Registered while the test file is being loaded: no process outlives its test.
afterEach(async () => {
  for (const child of children) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
  }
  children.clear()
})

export type RunningProcess = {
  child: ChildProcess
  /** All it printed so far. */
  output(): string
  /** Resolves with the first line of output that matches; rejects when it exits before. */
  printed(pattern: RegExp): Promise<RegExpMatchArray>
  /** Resolves with its exit code. */
  exited(): Promise<number | null>
}

/** Runs a built entry point (`dist/...`) with nothing of this process's environment but PATH and HOME. */
export function startProcess(entry: string, args: string[], env: Record<string, string>): RunningProcess {
  const running = spawnProcess(entry, args, env)
  children.add(running.child)
  return running
}

/** The same for tests that run side by side: who calls it ends the process. `preload` is JavaScript to run first. */
export function spawnProcess(
  entry: string,
  args: string[],
  env: Record<string, string>,
  preload?: string,
): RunningProcess {
  const { PATH = '', HOME = '' } = process.env
  const first = preload ? [`--import=data:text/javascript,${encodeURIComponent(preload)}`] : []
  const child = spawn(process.execPath, [...first, join(projectRoot(), 'dist', entry), ...args], {
    cwd: projectRoot(),
    env: { PATH, HOME, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  const exit = once(child, 'exit')
  child.stdout.on('data', (chunk) => (text += chunk))
  child.stderr.on('data', (chunk) => (text += chunk))
  const printed = async (pattern: RegExp) => {
    for (;;) {
      const match = text.match(pattern)
      if (match) return match
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`it exited before it printed ${pattern}:\n${text}`)
      await Promise.race([once(child.stdout, 'data'), once(child.stderr, 'data'), exit])
    }
  }
  return { child, output: () => text, printed, exited: async () => (await exit)[0] }
}
