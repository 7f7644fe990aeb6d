import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { projectRoot } from '../../src/project-root.ts'

/** A program that says when it was built, and with what it was called. */
const program = (age: string) => `console.log('${age}', ...process.argv.slice(2))`

/** Writes a new program, as the compiler does. */
const COMPILER = `require('fs').mkdirSync('dist/workers', { recursive: true })
require('fs').writeFileSync('dist/workers/main.js', ${JSON.stringify(program('new'))})`

let root: string

function write(path: string, text: string, ageSeconds = 0): void {
  const at = join(root, path)
  mkdirSync(dirname(at), { recursive: true })
  writeFileSync(at, text)
  const time = Date.now() / 1_000 - ageSeconds
  utimesSync(at, time, time)
}

function run() {
  const args = [join(root, 'run.js'), 'workers/main.js', 'all']
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  return { status, stdout, stderr }
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'usher-run-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  copyFileSync(join(projectRoot(), 'run.js'), join(root, 'run.js'))
  write('package.json', '{ "type": "module" }')
})

const withSources = (ageSeconds: number) => {
  write('src/deep/file.ts', '', ageSeconds)
  write('workers/main.ts', '', 100)
  write('tsconfig.build.json', '{}', 100)
}
const withCompiler = () => {
  write('node_modules/typescript/package.json', '{}')
  write('node_modules/typescript/bin/tsc', COMPILER)
}

describe('a program of dist', () => {
  const [NEW, OLD] = ['new all\n', 'old all\n']
  const withProgram = () => write('dist/workers/main.js', program('old'), 5)

  it('is built when dist is missing, and runs with its arguments', () => {
    withSources(10)
    withCompiler()
    expect(run()).toEqual({ status: 0, stdout: NEW, stderr: '' })
  })

  it('is built again when a source is newer, and not when none is', () => {
    withSources(10)
    withCompiler()
    withProgram()
    expect(run()).toEqual({ status: 0, stdout: OLD, stderr: '' })
    withSources(0)
    expect(run()).toEqual({ status: 0, stdout: NEW, stderr: '' })
  })

  it('runs as it is without the build tools, or without sources', () => {
    withProgram()
    expect(run()).toEqual({ status: 0, stdout: OLD, stderr: '' })
    withSources(10)
    expect(run()).toEqual({ status: 0, stdout: OLD, stderr: '' })
    withSources(0)
    expect(run()).toEqual({ status: 0, stdout: OLD, stderr: expect.stringMatching(/^dist is older.*\n$/) })
  })

  it('does not run where there is neither dist nor a compiler: one line says what to do', () => {
    withSources(10)
    const line = expect.stringMatching(/^Usher is not built.*npm ci.*\n$/)
    expect(run()).toEqual({ status: 1, stdout: '', stderr: line })
  })
})
