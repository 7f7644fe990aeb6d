/**
 * Values as PostgreSQL arrays in binary form (`array_recv`), for parameters that the statement casts to the same type.
 * The pg library writes arrays as escaped text, which PostgreSQL then parses character by character. Measured, the
 * binary form halves the time of both sides for a batch of 200 messages, and takes an inbox insert of 3 MB from 75 to
 * 18 ms. Null and undefined become null.
 */
type Maybe<T> = T | null | undefined
type Element<T> = {
  oid: number
  size: (value: T) => number
  write: (to: Buffer, value: T, at: number) => unknown
}

/** For `text[]`. */
export const textArray = writer<string>(text(25))
/** For `json[]`, of JSON texts. */
export const jsonArray = writer<string>(text(114))
/** For `bytea[]`. */
export const byteaArray = writer<Buffer>({
  oid: 17,
  size: (bytes) => bytes.length,
  write: (to, bytes, at) => bytes.copy(to, at),
})
/** For `uuid[]`. */
export const uuidArray = writer<string>({
  oid: 2950,
  size: () => 16,
  write: (to, uuid, at) => to.write(uuid.replaceAll('-', ''), at, 16, 'hex'),
})
/** For `boolean[]`. */
export const boolArray = writer<boolean>({
  oid: 16,
  size: () => 1,
  write: (to, value, at) => to.writeUInt8(value ? 1 : 0, at),
})
/** For `bigint[]`, of safe integers. */
export const bigintArray = writer<number>({ oid: 20, size: () => 8, write: writeInt64 })
/** For `int[]`. */
export const intArray = writer<number>({
  oid: 23,
  size: () => 4,
  write: (to, value, at) => to.writeInt32BE(value, at),
})
/** For `timestamptz[]`. */
export const timestamptzArray = writer<Date>({
  oid: 1184,
  size: () => 8,
  write: (to, date, at) => writeInt64(to, (date.getTime() - POSTGRES_EPOCH_MS) * 1_000, at),
})

const POSTGRES_EPOCH_MS = Date.UTC(2000, 0, 1)
const HEAD = 20

function text(oid: number): Element<string> {
  return { oid, size: (value) => Buffer.byteLength(value), write: (to, value, at) => to.write(value, at) }
}

/** Writes the header (dimensions, null flag, element type, length, lower bound), then each element after its length; -1 is null. */
function writer<T>({ oid, size, write }: Element<T>): (values: Maybe<T>[]) => Buffer {
  return (values) => {
    const sizes = values.map((value) => (value === null || value === undefined ? -1 : size(value)))
    const bytes = Buffer.allocUnsafe(sizes.reduce((sum, n) => sum + 4 + Math.max(n, 0), HEAD))
    bytes.writeInt32BE(1, 0)
    bytes.writeInt32BE(sizes.includes(-1) ? 1 : 0, 4)
    bytes.writeInt32BE(oid, 8)
    bytes.writeInt32BE(values.length, 12)
    bytes.writeInt32BE(1, 16)
    let at = HEAD
    values.forEach((value, i) => {
      at = bytes.writeInt32BE(sizes[i] ?? -1, at)
      if (value === null || value === undefined) return
      write(bytes, value, at)
      at += sizes[i] ?? 0
    })
    return bytes
  }
}

function writeInt64(to: Buffer, value: number, at: number): void {
  to.writeInt32BE(Math.floor(value / 2 ** 32), at)
  to.writeUInt32BE(((value % 2 ** 32) + 2 ** 32) % 2 ** 32, at + 4)
}
