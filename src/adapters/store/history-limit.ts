/** How many entries of a record's journal are read at most: the latest. */
export const historyLimit = 1_000;
