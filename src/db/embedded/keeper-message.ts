/**
 * What a keeper reports to its application: a line for the log, the URL of the server once it can be used, or why the
 * keeper ends.
 */
export type KeeperMessage = { log: string } | { url: string } | { failure: string }
