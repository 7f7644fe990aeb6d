/**
 * SQL: the position of an event in the log. A reader that remembers the last row it has seen skips rows that were written
 * earlier and commit later, so it reads only below `HORIZON`, and positions are chosen so that
 *
 * - no row that is still to become visible has a position below the horizon: a position is at least the id of its own
 *   transaction, which the horizon does not pass while the transaction runs;
 * - the events of one customer are in the order of the customer's lock. The id of the transaction alone would not do: a
 *   transaction gets its id when it claims a delivery, and may then wait for a customer whom a transaction with a higher
 *   id has locked. The position is therefore at least the highest id that had ended when the statement began, and that
 *   includes everything that the lock waited for. Of equal positions, `seq` decides.
 *
 * So the statement that logs an event comes after the one that takes the lock.
 */
export const POSITION = `(select greatest(pg_current_xact_id()::text::bigint,
  pg_snapshot_xmax(pg_current_snapshot())::text::bigint - 1))`

/**
 * SQL: the same for a statement that itself waits for what orders its events, such as the row of a message. The function
 * asks again for each event, when the row that the event is about has been locked.
 */
export const POSITION_OF_ROW = 'event_position()'

/** SQL: all events below this position are committed and visible, or will never exist. */
export const HORIZON = '(select pg_snapshot_xmin(pg_current_snapshot())::text::bigint)'
