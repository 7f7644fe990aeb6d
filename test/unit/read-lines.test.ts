import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { MAX_LINE_BYTES, type RawLine, readLines } from '../../src/http/read-lines.ts'

async function* chunksOf(...chunks: (string | Buffer)[]): AsyncGenerator<Buffer> {
  for (const chunk of chunks) yield Buffer.from(chunk)
}
async function batches(input: AsyncIterable<Buffer>, size = 100): Promise<RawLine[][]> {
  const found: RawLine[][] = []
  for await (const batch of readLines(input, size)) found.push(batch)
  return found
}
const shown = ({ number, bytes }: RawLine) => [number, bytes?.toString()]
const linesOf = async (...chunks: (string | Buffer)[]) =>
  (await batches(chunksOf(...chunks))).flat().map(shown)

describe('the lines of a body', () => {
  it('are the same however the body is cut into chunks', async () => {
    const text = 'one\nzwölf\r\n\n  \n{"a": 4}'
    const lines = [
      [1, 'one'],
      [2, 'zwölf\r'],
      [5, '{"a": 4}'],
    ]
    const bytes = Buffer.from(text)
    for (let at = 0; at <= bytes.length; at += 1)
      expect(await linesOf(bytes.subarray(0, at), bytes.subarray(at))).toEqual(lines)
    expect(await linesOf(...[...bytes].map((byte) => Buffer.from([byte])))).toEqual(lines)
  })

  it('are counted whether or not the last one has an end', async () => {
    expect(await linesOf('a\n')).toEqual([[1, 'a']])
    expect(await linesOf('')).toEqual([])
  })

  it('have no content beyond 64 kB, and the next line is read as ever', async () => {
    const most = 'x'.repeat(MAX_LINE_BYTES)
    const found = await linesOf(most, '\n', `${most}x`, '\nb\n', most, most, '\n', 'c')
    expect(found).toEqual([
      [1, most],
      [2, undefined],
      [3, 'b'],
      [4, undefined],
      [5, 'c'],
    ])
  })

  it('come in batches of the given size', async () => {
    const found = await batches(chunksOf('1\n2\n3\n', '4\n5\n'), 2)
    expect(found.map((batch) => batch.length)).toEqual([2, 2, 1])
  })

  it('are given when the stream pauses, because a client may wait for the answer', async () => {
    let isAnswered = false
    async function* pausing(): AsyncGenerator<Buffer> {
      yield Buffer.from('1\n2')
      while (!isAnswered) await sleep(5)
      yield Buffer.from('\n3\n')
    }
    const found: unknown[] = []
    for await (const batch of readLines(pausing(), 100)) {
      isAnswered = true
      found.push(batch.map(shown))
    }
    expect(found).toEqual([
      [[1, '1']],
      [
        [2, '2'],
        [3, '3'],
      ],
    ])
  })

  it('end with the failure of the stream, after those that came before it', async () => {
    async function* failing(): AsyncGenerator<Buffer> {
      yield Buffer.from('1\n')
      throw new Error('cut off')
    }
    const found: unknown[] = []
    const reading = (async () => {
      for await (const batch of readLines(failing(), 1)) found.push(batch.map(shown))
    })()
    await expect(reading).rejects.toThrow('cut off')
    expect(found).toEqual([[[1, '1']]])
  })
})
