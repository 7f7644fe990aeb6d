import { execFileSync } from 'node:child_process'
import { cp, mkdir, readFile, stat } from 'node:fs/promises'
import { basename, delimiter, join, relative } from 'node:path'

export type Step = { keyword: string; rest: string }

/** What a container of the image would be: its files under `root`, as seen from `workdir`. */
export type Image = {
  root: string
  workdir: string
  env: Record<string, string>
  user: string | undefined
  cmd: string[]
  healthcheck: string[]
}

/** The instructions in order; comments are left out, and continued lines joined. */
export function parseDockerfile(text: string): Step[] {
  return text
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, keyword = '', rest = ''] = /^(\w+)\s+(.*)$/.exec(line.trim()) ?? []
      return { keyword: keyword.toUpperCase(), rest }
    })
}

/**
 * Does without Docker what `docker build` would: each stage in an empty folder under `into`, COPY with regard to
 * `.dockerignore`, RUN with the machine's own node and an environment of PATH, HOME and what ENV says.
 * @throws Error for an instruction it does not know, a source that is not there, or a command that fails.
 */
export async function buildImage(context: string, into: string, say: (line: string) => void): Promise<Image> {
  const steps = parseDockerfile(await readFile(join(context, 'Dockerfile'), 'utf8'))
  const stages = new Map<string, Image>()
  let image: Image | undefined
  for (const { keyword, rest } of steps) {
    say(`${keyword} ${rest}`)
    if (keyword === 'FROM') {
      const name = / AS (\S+)$/i.exec(rest)?.[1] ?? `stage-${stages.size}`
      const root = join(into, name)
      await mkdir(root)
      image = { root, workdir: '/', env: {}, user: undefined, cmd: [], healthcheck: [] }
      stages.set(name, image)
    } else if (!image) throw new Error(`${keyword} before FROM`)
    else await follow(image, keyword, rest, { context, stages })
  }
  if (!image) throw new Error('the Dockerfile has no FROM')
  return image
}

type World = { context: string; stages: Map<string, Image> }

async function follow(image: Image, keyword: string, rest: string, world: World): Promise<void> {
  if (keyword === 'WORKDIR') {
    image.workdir = rest
    await mkdir(join(image.root, rest), { recursive: true })
  } else if (keyword === 'COPY') await copy(image, rest, world)
  else if (keyword === 'RUN') run(image, ['sh', '-c', rest])
  else if (keyword === 'ENV') Object.assign(image.env, Object.fromEntries(rest.split(' ').map(pair)))
  else if (keyword === 'USER') image.user = rest
  else if (keyword === 'CMD') image.cmd = JSON.parse(rest)
  else if (keyword === 'HEALTHCHECK') image.healthcheck = JSON.parse(rest.replace(/^.*? CMD /, ''))
  else if (keyword !== 'EXPOSE') throw new Error(`this check does not know ${keyword}`)
}

/** Runs a command as in a container of the image, to its end. */
export function run(image: Image, [program = '', ...args]: string[], env = {}): void {
  execFileSync(program, args, {
    cwd: join(image.root, image.workdir),
    env: { ...containerEnv(image), ...env },
  })
}

/** Nothing of this process but its HOME, and a PATH without this project's own tools. */
export function containerEnv(image: Image): Record<string, string> {
  const paths = (process.env.PATH ?? '').split(delimiter).filter((path) => !path.includes('node_modules'))
  return { PATH: paths.join(delimiter), HOME: process.env.HOME ?? '', ...image.env }
}

async function copy(image: Image, rest: string, { context, stages }: World): Promise<void> {
  const words = rest.split(/\s+/)
  const from = /^--from=(.+)$/.exec(words[0] ?? '')?.[1]
  const sources = words.slice(from === undefined ? 0 : 1, -1)
  const to = words.at(-1) ?? ''
  const base = from === undefined ? context : stages.get(from)?.root
  if (base === undefined) throw new Error(`no stage is called ${from}`)
  const isIgnored = from === undefined ? await readIgnores(context) : () => false
  for (const source of sources) {
    const path = join(base, source)
    if (isIgnored(relative(base, path))) throw new Error(`.dockerignore leaves out ${source}`)
    const isFolder = (await stat(path)).isDirectory()
    const target = join(
      image.root,
      image.workdir,
      to,
      isFolder || !/(^|\/)\.?$/.test(to) ? '' : basename(path),
    )
    await cp(path, target, {
      recursive: true,
      verbatimSymlinks: true,
      filter: (file) => !isIgnored(relative(base, file)),
    })
  }
}

/** @throws Error for a pattern: this check knows plain paths only. */
async function readIgnores(context: string): Promise<(path: string) => boolean> {
  const lines = (await readFile(join(context, '.dockerignore'), 'utf8')).split('\n')
  const ignored = lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'))
  const pattern = ignored.find((line) => /[*?![]/.test(line))
  if (pattern) throw new Error(`this check does not know the pattern ${pattern} in .dockerignore`)
  return (path) => ignored.some((name) => path === name || path.startsWith(`${name}/`))
}

function pair(text: string): [string, string] {
  const [name = '', ...value] = text.split('=')
  return [name, value.join('=')]
}
