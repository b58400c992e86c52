/** The present, as an argument: tests move it, production reads the machine's clock. */
export type Clock = () => Date

export const systemClock: Clock = () => new Date()
