import { expect, it } from 'vitest'
import { PLAN_TESTS, READ_NO_TABLE } from '../support/plan-tests.ts'
import { readRepositoryFile, repositoryFiles } from '../support/repository.ts'

/** A statement is an object with a name and, next to it, a text; some names depend on a condition or end in a variable. */
const STATEMENT = /\bname: ([^,\n]+),\s*(?:\/\/[^\n]*\s*)*text\b/g

it('every named statement of the source has a plan test', () => {
  const sources = repositoryFiles().filter((path) => /^src\/.*\.tsx?$/.test(path))
  const named = sources.flatMap((path) =>
    [...readRepositoryFile(path).matchAll(STATEMENT)].flatMap(([, name = '']) =>
      [...name.matchAll(/'([^']+)'|`([^`]+)`/g)].map((match) => match[1] ?? match[2] ?? ''),
    ),
  )
  expect(named.length).toBeGreaterThan(100)
  const planned: string[] = [...Object.values(PLAN_TESTS).flat(), ...READ_NO_TABLE]
  const isPlanned = (name: string) => {
    const [fixed = '', variable] = name.split('$')
    return variable === undefined ? planned.includes(name) : planned.some((one) => one.startsWith(fixed))
  }
  expect(named.filter((name) => !isPlanned(name))).toEqual([])
})

it('no statement has two places in the list', () => {
  const planned: string[] = Object.values(PLAN_TESTS).flat()
  expect(planned).toHaveLength(new Set(planned).size)
})
