/** Real time passes. For faults and for load, which happen at moments; a check waits for a condition instead. */
export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
