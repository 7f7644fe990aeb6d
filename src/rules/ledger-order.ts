/**
 * Messages of one second are ordered by the order of receipt (docs/rules.md#time-and-order): `seq` in the ledger is
 * the id of the delivery x 4096 + the place of the message in it. Meta sends at most 1,000 updates in a delivery.
 */
const PLACES = 4096

/** `seq` of the message at a place of a delivery, counted from 0; places beyond 4095 share the last one. */
export function seqOf(deliveryId: number, place: number): number {
  return deliveryId * PLACES + Math.min(place, PLACES - 1)
}

/** SQL: `seq` of a message that Usher itself writes, as if it had come in a delivery received now. */
export const NEXT_SEQ = `nextval('inbox_id_seq') * ${PLACES}`
