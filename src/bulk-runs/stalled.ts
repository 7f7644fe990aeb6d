/** A process that works on a run shows it more often than this; a run without a sign for so long stands still. */
export const STALLED_S = 15
