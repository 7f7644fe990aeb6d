import { expect, it } from 'vitest'
import { readRepositoryFile, repositoryFiles } from '../support/repository.ts'

/** Words that Usher once used with a meaning of its own, and what stands in their place; also inside identifiers. */
const RETIRED: readonly (readonly [word: RegExp, instead: string])[] = [
  [/door/i, 'receiver'],
  [/(?<![A-Za-z])lone(?! surrogate|[a-z])|Lone(?![a-z])|(?<![A-Z])LONE(?![A-Z])/, 'single delivery'],
  [/crowd/i, 'batch'],
  [/(?<![a-z])hear(?:s|d|ing)?(?![a-z])|Hear(?:s|d|ing)?(?![a-z])/, 'notify, lastInbound or resolve'],
  [/(?<![a-z])told(?![a-z])|Told(?![a-z])/, 'notify, or the verb that fits'],
  [/(?<!all)settle/i, 'the verb that fits'],
]

/** The old name of RECEIVER_MEMORY_MB still works, and is documented. */
const ALLOWED = /DOOR_MEMORY_MB/g

const READ = /\.(tsx?|md|yaml|css|js)$|^\.env\.example$|^Dockerfile$/

it('nothing uses a retired word', () => {
  const names = repositoryFiles().filter((name) => READ.test(name) && name !== 'test/unit/words.test.ts')
  const found = names.flatMap((name) =>
    readRepositoryFile(name)
      .replaceAll(ALLOWED, '')
      .split('\n')
      .flatMap((line, i) =>
        RETIRED.filter(([word]) => word.test(line)).map(
          ([, instead]) => `${name}:${i + 1}: ${line.trim()} -> ${instead}`,
        ),
      ),
  )
  expect(found).toEqual([])
})
