// node run.js PROGRAM ARGUMENTS...: runs a program of `dist`, which is built first when it is missing or older than the
// sources. An installation without the build tools (`npm ci --omit=dev`) or without the sources, such as the image, runs
// what was built before. The program runs in this process, so signals reach it.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

const root = import.meta.dirname
const built = timeOf('dist/workers/main.js')
const isCurrent = built > 0 && built >= Math.max(...['src', 'workers', 'tsconfig.build.json'].map(newestIn))

if (!isCurrent) {
  const compiler = findCompiler()
  if (compiler) build(compiler)
  else if (built === 0)
    end('Usher is not built, and the build tools are not installed: run npm ci && npm run build once.')
  else say('dist is older than the sources, and the build tools are not installed: running what was built.')
}

const [node, , program = '', ...args] = process.argv
const path = join(root, 'dist', program)
process.argv = [node, path, ...args]
await import(pathToFileURL(path).href)

/** When a file was changed last, in ms; 0 when it is not there. */
function timeOf(path) {
  return statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs ?? 0
}

/** When the newest file in a folder, or a file itself, was changed last; 0 when it is not there. */
function newestIn(path) {
  const time = timeOf(path)
  if (time === 0 || !statSync(join(root, path)).isDirectory()) return time
  const files = readdirSync(join(root, path), { recursive: true, withFileTypes: true }).filter((one) =>
    one.isFile(),
  )
  return Math.max(0, ...files.map((one) => statSync(join(one.parentPath ?? one.path, one.name)).mtimeMs))
}

function findCompiler() {
  try {
    const manifest = createRequire(import.meta.url).resolve('typescript/package.json')
    const path = join(dirname(manifest), 'bin/tsc')
    return existsSync(path) ? path : undefined
  } catch {
    return undefined
  }
}

function build(compiler) {
  try {
    execFileSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' })
  } catch {
    end('Usher could not be built.')
  }
}

function end(line) {
  say(line)
  process.exit(1)
}

function say(line) {
  process.stderr.write(`${line}\n`)
}
