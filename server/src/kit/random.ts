/** A number in [0, 1), for jitter. Never for ids or secrets. */
export const random: () => number = Math.random
