import { spawn } from 'node:child_process'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'vitest'
import { projectRoot } from '../../src/project-root.ts'
import { eventually } from '../support/patience.ts'
import { stillRunning } from '../support/programs.ts'

const TSX = join(projectRoot(), 'node_modules/tsx/dist/loader.mjs')

/** A program that starts an idle process of the harness, prints the pids of itself and of that, and waits. */
const PARENT = `
  import { endWithNpm, spawnWatched, whenGone } from '${projectRoot()}/test/support/watched.ts'
  endWithNpm()
  whenGone('echo > gone')
  whenGone('echo > cancelled').cancel()
  const child = spawnWatched(process.execPath, ['-e', 'setInterval(() => {}, 1000); console.log("up")'])
  child.stdout.once('data', () => console.log(JSON.stringify([process.pid, child.pid])))
  setInterval(() => {}, 1000)`
const RUN = `exec node --import ${TSX} parent.mjs`

type Family = { folder: string; command: number; parent: number; child: number }

/** Runs the parent in a folder of its own, by a shell or by npm. */
async function start(t: TestContext, command: 'sh' | 'npm'): Promise<Family> {
  const folder = await mkdtemp(join(tmpdir(), 'usher-watched-'))
  t.onTestFinished(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'parent.mjs'), PARENT)
  await writeFile(join(folder, 'package.json'), JSON.stringify({ scripts: { parent: RUN } }))
  const args = command === 'sh' ? ['-c', RUN] : ['run', '-s', 'parent']
  const started = spawn(command, args, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  started.stdout.on('data', (chunk) => {
    text += chunk
  })
  const pids = await eventually(() => /\[(\d+),(\d+)\]/.exec(text) ?? false)
  const family = { folder, command: started.pid!, parent: Number(pids[1]), child: Number(pids[2]) }
  t.onTestFinished(async () => {
    for (const pid of await running(family)) process.kill(pid, 'SIGKILL')
  })
  t.expect(await running(family)).toEqual([family.command, family.parent, family.child])
  return family
}

const running = ({ command, parent, child }: Family) => stillRunning([command, parent, child])
const allEnd = (family: Family) => eventually(async () => (await running(family)).length === 0)

describe.concurrent('a process of the harness', () => {
  it.for(['SIGTERM', 'SIGINT'] as const)(
    'ends when %s ends the process that started it',
    async (signal, t) => {
      const family = await start(t, 'sh')
      process.kill(family.parent, signal)
      await allEnd(family)
    },
  )

  it('ends when SIGKILL ends the process that started it, although SIGSTOP has frozen it', async (t) => {
    const family = await start(t, 'sh')
    process.kill(family.child, 'SIGSTOP')
    process.kill(family.parent, 'SIGKILL')
    await allEnd(family)
    // The commands for the end of that process have run, but for the one that was cancelled.
    const files = () => readdir(family.folder)
    await t.expect.poll(files).toContain('gone')
    t.expect(await files()).not.toContain('cancelled')
  })

  it.for(['SIGKILL', 'SIGTERM'] as const)(
    'ends when %s ends the npm that runs its command',
    async (signal, t) => {
      const family = await start(t, 'npm')
      t.expect(family.command).not.toBe(family.parent)
      process.kill(family.command, signal)
      await allEnd(family)
    },
  )
})
