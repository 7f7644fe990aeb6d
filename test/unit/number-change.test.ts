import { describe, expect, it } from 'vitest'
import { numberChange, numberMistakes, replacedFirst } from '../../src/orgs/number-change.ts'

const number = (phoneId: string, remoteId = phoneId) => ({ phoneId, remoteId })

describe('a number that replaces none', () => {
  it('is created when its id is new, and updated when it is known', () => {
    expect(numberChange({ id: '1001' }, undefined, undefined)).toEqual({ kind: 'create' })
    expect(numberChange({ id: '1001' }, number('1001'), undefined)).toEqual({
      kind: 'update',
      phoneId: '1001',
    })
    expect(numberChange({ id: '1009' }, number('1001', '1009'), undefined)).toEqual({
      kind: 'update',
      phoneId: '1001',
    })
  })

  it('changes nothing when its id is a former one', () => {
    expect(numberChange({ id: '1001' }, number('1001', '1009'), undefined)).toEqual({ kind: 'keep' })
  })
})

describe('a number that replaces another one', () => {
  const moved = number('1001', '1009')

  it('moves it to a new id, once', () => {
    const entry = { id: '1009', replaces: '1001' }
    expect(numberChange(entry, undefined, number('1001'))).toEqual({ kind: 'move', phoneId: '1001' })
    expect(numberChange(entry, moved, moved)).toEqual({ kind: 'update', phoneId: '1001' })
  })

  it('moves it on, and back to a former id', () => {
    const on = { id: '1010', replaces: '1009' }
    expect(numberChange(on, undefined, moved)).toEqual({ kind: 'move', phoneId: '1001' })
    const back = { id: '1001', replaces: '1009' }
    expect(numberChange(back, moved, moved)).toEqual({ kind: 'move', phoneId: '1001' })
  })

  it('changes nothing when the number has moved on since', () => {
    const twice = number('1001', '1010')
    expect(numberChange({ id: '1009', replaces: '1001' }, twice, twice)).toEqual({ kind: 'keep' })
  })

  it('joins it when it was provisioned as a number of its own', () => {
    expect(numberChange({ id: '1009', replaces: '1001' }, number('1009'), number('1001'))).toEqual({
      kind: 'merge',
      phoneId: '1001',
      otherId: '1009',
    })
  })

  it('is refused when there is no such number, when another id replaced it, and when its own id is a former one', () => {
    const reasonOf = (...[entry, named, replaced]: Parameters<typeof numberChange>) =>
      numberChange(entry, named, replaced)
    expect(reasonOf({ id: '1009', replaces: '1' }, undefined, undefined)).toEqual({
      kind: 'refuse',
      reason: '1009 replaces 1, which is not a number of this org',
    })
    expect(reasonOf({ id: '1011', replaces: '1001' }, undefined, moved)).toEqual({
      kind: 'refuse',
      reason: '1011 replaces 1001, which 1009 has replaced already: name 1009',
    })
    expect(reasonOf({ id: '2', replaces: '1001' }, number('2', '3'), number('1001'))).toEqual({
      kind: 'refuse',
      reason: '2 is a former id of the number 3, so it cannot replace 1001',
    })
  })
})

describe('the numbers of a file', () => {
  it('are applied in the order in which they replaced each other, else in the order of the file', () => {
    const file = [
      { id: '1010', replaces: '1009' },
      { id: '7' },
      { id: '1009', replaces: '1001' },
      { id: '1001' },
    ]
    expect(replacedFirst(file).map(({ id }) => id)).toEqual(['7', '1001', '1009', '1010'])
    expect(numberMistakes(file)).toEqual([])
  })

  it('are refused with an id given twice, a number replaced twice, and a circle', () => {
    expect(numberMistakes([{ id: '1' }, { id: '1' }, { id: '1' }])).toEqual(['the number 1 is given twice'])
    expect(
      numberMistakes([
        { id: '2', replaces: '1' },
        { id: '3', replaces: '1' },
      ]),
    ).toEqual(['two numbers replace 1'])
    expect(numberMistakes([{ id: '1', replaces: '1' }])).toEqual(['1 replaces itself'])
    expect(
      numberMistakes([
        { id: '4', replaces: '2' },
        { id: '2', replaces: '3' },
        { id: '3', replaces: '2' },
      ]),
    ).toEqual(['two numbers replace 2', '2 replaces itself', '3 replaces itself'])
  })
})
