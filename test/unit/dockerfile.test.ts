import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { projectRoot } from '../../src/project-root.ts'
import { buildImage, parseDockerfile } from '../support/dockerfile.ts'

async function build(dockerfile: string, ignore = '') {
  const folder = await mkdtemp(join(tmpdir(), 'usher-dockerfile-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const [context, into] = [join(folder, 'context'), join(folder, 'into')]
  await mkdir(join(context, 'src/deep'), { recursive: true })
  await mkdir(into)
  await writeFile(join(context, 'src/deep/a.txt'), 'a')
  await writeFile(join(context, 'src/secret'), 's')
  await writeFile(join(context, 'one.txt'), '1')
  await writeFile(join(context, 'Dockerfile'), dockerfile)
  await writeFile(join(context, '.dockerignore'), ignore)
  return buildImage(context, into, () => {})
}

it('a stage starts empty, COPY obeys .dockerignore, and RUN runs in the WORKDIR with the variables of ENV', async () => {
  const image = await build(
    `# a comment
FROM node AS build
WORKDIR /app
ENV WORD=hello
COPY one.txt ./
COPY src src
RUN echo $WORD \\
  > src/deep/b.txt
FROM node
WORKDIR /run
COPY --from=build /app/src lib
COPY --from=build /app/one.txt two.txt
USER node
HEALTHCHECK --interval=1s CMD ["true"]
CMD ["node", "x.js"]
`,
    'src/secret\n',
  )
  expect(image).toMatchObject({
    workdir: '/run',
    env: {},
    user: 'node',
    cmd: ['node', 'x.js'],
    healthcheck: ['true'],
  })
  const files = await readdir(image.root, { recursive: true })
  expect(files.toSorted()).toEqual([
    'run',
    'run/lib',
    'run/lib/deep',
    'run/lib/deep/a.txt',
    'run/lib/deep/b.txt',
    'run/two.txt',
  ])
  expect(await readFile(join(image.root, 'run/lib/deep/b.txt'), 'utf8')).toBe('hello\n')
})

it.each([
  ['FROM a\nRUN exit 3', '', /exit 3/],
  ['FROM a\nADD x y', '', /does not know ADD/],
  ['FROM a\nCOPY nothing .', '', /no such file/],
  ['FROM a\nCOPY src src', 'src', /leaves out src/],
  ['FROM a\nCOPY src src', '**/*.txt', /pattern/],
  ['FROM a\nCOPY --from=b src src', '', /no stage is called b/],
])(
  'a Dockerfile that Docker would refuse or that this check does not support fails: %s',
  async (dockerfile, ignore, message) => {
    await expect(build(dockerfile, ignore)).rejects.toThrow(message)
  },
)

it('our Dockerfile copies every folder that the build compiles, and only files that exist', async () => {
  const root = projectRoot()
  const steps = parseDockerfile(await readFile(join(root, 'Dockerfile'), 'utf8'))
  const copied = steps
    .filter(({ keyword, rest }) => keyword === 'COPY' && !rest.startsWith('--from'))
    .flatMap(({ rest }) => rest.split(' ').slice(0, -1))
  const there = await readdir(root)
  expect(copied.filter((name) => !there.includes(name))).toEqual([])
  const { include } = JSON.parse(await readFile(join(root, 'tsconfig.build.json'), 'utf8'))
  expect(copied).toEqual(expect.arrayContaining(include))
})
