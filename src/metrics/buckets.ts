/** Buckets of histograms that count the items of a batch. */
export const BATCH_SIZES = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000]
