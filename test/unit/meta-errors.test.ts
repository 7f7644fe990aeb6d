import { expect, it } from 'vitest'
import {
  codesOf,
  concernsCustomer,
  ERROR_EFFECTS,
  effectOf,
  PERMISSION_CODES,
} from '../../src/rules/meta-errors.ts'
import { readRepositoryFile } from '../support/repository.ts'

it('every code has one effect', () => {
  const codes = [...Object.values(ERROR_EFFECTS).flat(), ...PERMISSION_CODES]
  expect(new Set(codes).size).toBe(codes.length)
})

it('a code that is not in the table fails its message alone', () => {
  for (const code of [100, 130472, 131026, 131047, 131048, 132001, 132015, 199, 300, 999_999, -1]) {
    expect([code, effectOf(code, false), effectOf(code, true)]).toEqual([code, 'fail', 'fail'])
  }
})

it('a missing permission concerns the number where free text is refused, and a template alone where that is', () => {
  for (const code of [10, 131005, 200, 230, 299]) {
    expect([code, effectOf(code, false), effectOf(code, true)]).toEqual([code, 'stop_number', 'fail'])
  }
})

it('two codes concern the customer', () => {
  expect([[131050], [131049], [131026, 131049]].map(concernsCustomer)).toEqual([true, true, true])
  expect([[131026], [190, 10], []].map(concernsCustomer)).toEqual([false, false, false])
})

it('the codes of errors are read as numbers or digits, and nothing else is', () => {
  const errors = [{ code: 131026 }, { code: '131049' }, { code: 'x' }, { code: 1.5 }, { title: 'x' }, null, 7]
  expect(codesOf(errors)).toEqual([131026, 131049])
  expect([codesOf(undefined), codesOf({ code: 1 })]).toEqual([[], []])
})

it('the table of the documentation names the codes of every effect in a row of its own', () => {
  const rows = readRepositoryFile('docs/meta.md')
    .split('\n')
    .filter((line) => line.startsWith('| '))
  for (const codes of [...Object.values(ERROR_EFFECTS), PERMISSION_CODES]) {
    const row = rows.find((line) =>
      codes.every((code) => new RegExp(`\\b${code}\\b`).test(line.split('|')[1] ?? '')),
    )
    expect([codes, row]).toEqual([codes, expect.any(String)])
  }
})
